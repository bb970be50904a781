<?php
// PHP's curl as one client of this API has it: a JSON body under a form's content type.

$curl = curl_init(getenv('DARGAH_BASE') . '/api/inquiry/person');
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
curl_setopt($curl, CURLOPT_TIMEOUT, 20);
curl_setopt($curl, CURLOPT_POST, true);
curl_setopt($curl, CURLOPT_HTTPHEADER, ['Content-Type: application/x-www-form-urlencoded; charset=utf-8']);
curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode([
    'requestContext' => [
        'apiInfo' => [
            'businessId' => getenv('DARGAH_BUSINESS_ID'),
            'businessToken' => getenv('DARGAH_BUSINESS_TOKEN'),
        ],
    ],
    'nationalId' => getenv('DARGAH_NATIONAL_CODE'),
    'birthDate' => getenv('DARGAH_BIRTH_DATE'),
]));
$response = curl_exec($curl);
if ($response === false) {
    fwrite(STDERR, curl_error($curl) . "\n");
    exit(1);
}
$status = curl_getinfo($curl, CURLINFO_HTTP_CODE);
echo '{"step":"person","status":', $status, ',"body":', $response, "}\n";

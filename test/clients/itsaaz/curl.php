<?php
// PHP's curl with curl_setopt_array. The empty CURLOPT_ENCODING offers every compression it knows.

function report(string $step, string $path, string $body, array $headers): array
{
    $curl = curl_init();
    curl_setopt_array($curl, [
        CURLOPT_URL => getenv('DARGAH_BASE') . $path,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_ENCODING => '',
        CURLOPT_MAXREDIRS => 10,
        CURLOPT_TIMEOUT => 0,
        CURLOPT_FOLLOWLOCATION => true,
        CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_1,
        CURLOPT_CUSTOMREQUEST => 'POST',
        CURLOPT_POSTFIELDS => $body,
        CURLOPT_HTTPHEADER => $headers,
    ]);
    $response = curl_exec($curl);
    if ($response === false) {
        fwrite(STDERR, curl_error($curl) . "\n");
        exit(1);
    }
    $status = curl_getinfo($curl, CURLINFO_HTTP_CODE);
    echo '{"step":"', $step, '","status":', $status, ',"body":', $response, "}\n";
    return json_decode($response, true);
}

$form = 'grant_type=password'
    . '&client_id=' . urlencode(getenv('DARGAH_CLIENT_ID'))
    . '&Client_secret=' . urlencode(getenv('DARGAH_CLIENT_SECRET'))
    . '&username=' . urlencode(getenv('DARGAH_USERNAME'))
    . '&password=' . urlencode(getenv('DARGAH_PASSWORD'));
$issued = report('token', '/identity/token', $form, ['Content-Type: application/x-www-form-urlencoded']);

$question = json_encode([
    'NationalCode' => getenv('DARGAH_NATIONAL_CODE'),
    'Cellphone' => getenv('DARGAH_MOBILE'),
]);
report('info', '/ai/etebar/info', $question, [
    'Content-Type: application/json',
    'Authorization: Bearer ' . $issued['access_token'],
]);

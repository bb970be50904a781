<?php
// PHP with the habits of the provider's WordPress plugin: names in camelCase, and an Authorization
// header whose value starts with the header's own name once more.

function report(string $step, string $path, array $headers, ?array $body): array
{
    $curl = curl_init(getenv('DARGAH_BASE') . $path);
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    curl_setopt($curl, CURLOPT_HTTPHEADER, $headers);
    if ($body !== null) {
        curl_setopt($curl, CURLOPT_POST, true);
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
    }
    $response = curl_exec($curl);
    if ($response === false) {
        fwrite(STDERR, curl_error($curl) . "\n");
        exit(1);
    }
    $status = curl_getinfo($curl, CURLINFO_HTTP_CODE);
    echo '{"step":"', $step, '","status":', $status, ',"body":', $response, "}\n";
    return json_decode($response, true);
}

$answer = report('token', '/api/v1/user/authenticate', ['Content-Type: application/json'], [
    'username' => getenv('DARGAH_USERNAME'),
    'password' => getenv('DARGAH_PASSWORD'),
    'virtualNumber' => getenv('DARGAH_LINE'),
    'tokenValidDay' => 365,
]);
report('credit', '/api/v1/credit', [
    'Content-Type: application/json',
    'Authorization: Authorization: Bearer ' . $answer['data']['Token'],
], null);

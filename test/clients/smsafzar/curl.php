<?php
// PHP's curl, one curl_setopt after the other, CURLOPT_POST with a JSON string.

function report(string $step, $ch): array
{
    curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
    $response = curl_exec($ch);
    if (curl_errno($ch)) {
        fwrite(STDERR, curl_error($ch) . "\n");
        exit(1);
    }
    $status = curl_getinfo($ch, CURLINFO_HTTP_CODE);
    echo '{"step":"', $step, '","status":', $status, ',"body":', $response, "}\n";
    return json_decode($response, true);
}

$base = getenv('DARGAH_BASE');
$headers = ['Content-Type: application/json', 'Cache-Control: no-cache', 'Accept: application/json'];

$login = curl_init();
curl_setopt($login, CURLOPT_URL, "{$base}/auth/token");
curl_setopt($login, CURLOPT_POST, true);
curl_setopt($login, CURLOPT_POSTFIELDS, json_encode([
    'userName' => getenv('DARGAH_USERNAME'),
    'password' => getenv('DARGAH_PASSWORD'),
    'domain' => getenv('DARGAH_DOMAIN'),
]));
curl_setopt($login, CURLOPT_HTTPHEADER, $headers);
$issued = report('token', $login);

$balance = curl_init();
curl_setopt($balance, CURLOPT_URL, "{$base}/account/balance");
curl_setopt($balance, CURLOPT_HTTPHEADER, array_merge($headers, ["Authorization: Bearer {$issued['token']}"]));
report('balance', $balance);

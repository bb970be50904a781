<?php
// PHP with the habits of the provider's WordPress plugin: an Authorization header whose value starts with the
// header's own name once more, numbers as strings of ten digits, and its paths.

function report(string $step, string $path, array $headers, ?array $body = null): array
{
    $curl = curl_init(getenv('DARGAH_BASE') . $path);
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    curl_setopt($curl, CURLOPT_HTTPHEADER, array_merge(['Content-Type: application/json'], $headers));
    if ($body !== null) {
        curl_setopt($curl, CURLOPT_CUSTOMREQUEST, 'POST');
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
    }
    $response = curl_exec($curl);
    if ($response === false) {
        fwrite(STDERR, curl_error($curl) . "\n");
        exit(1);
    }
    echo '{"step":"', $step, '","status":', curl_getinfo($curl, CURLINFO_HTTP_CODE), ',"body":', $response, "}\n";
    return json_decode($response, true);
}

$login = report('token', '/api/v1/user/authenticate', [], [
    'username' => getenv('DARGAH_USERNAME'),
    'password' => getenv('DARGAH_PASSWORD'),
    'virtualNumber' => getenv('DARGAH_LINE'),
    'tokenValidDay' => 365,
]);
$token = ['Authorization: Authorization: Bearer ' . $login['data']['Token']];
$sent = report('send', '/api/v1/message', $token, ['Text' => 'سلام از PHP', 'Numbers' => ['9129990003', '9359990003']]);
report('query', '/api/v1/message?' . http_build_query([
    'UserName' => getenv('DARGAH_USERNAME'),
    'Password' => getenv('DARGAH_PASSWORD'),
    'From' => getenv('DARGAH_LINE'),
    'To' => '9129990004',
    'Text' => 'سلام و درود',
]), []);
report('deliveries', '/api/v1/deliveries/' . $sent['data']['ID'], $token);
report('messages', '/api/v1/credit/messages?StartDate=1404/01/01&EndDate=1499/01/01', $token);
report('unread', '/api/v1/recived-messages/unread', $token);
report('credits', '/api/v1/credit/100', $token);

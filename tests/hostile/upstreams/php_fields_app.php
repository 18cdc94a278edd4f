<?php
// The hostile test's application in PHP that goes by fields of queries and forms, as PHP names them, and by the method
// that `_method` names, as frameworks do for the sake of forms.
$nonce = $_SERVER['HTTP_X_NONCE'] ?? '-';
$path = explode('?', $_SERVER['REQUEST_URI'], 2)[0];
$method = strtoupper($_GET['_method'] ?? $_SERVER['REQUEST_METHOD']);
$found = preg_match('~^/api/result/[^/]+$~', $path)
    || ($path === '/export' && ($_GET['report_type'] ?? '') === 'csv')
    || ($path === '/act' && ($_POST['kind'] ?? '') === 'report')
    || ($path === '/item' && $method === 'PUT')
    || ($path === '/all' && !in_array('view', [$_GET['kind'] ?? '', $_POST['kind'] ?? '']));
header('Content-Type: text/plain');
if ($found) {
    $socket = stream_socket_client('udp://127.0.0.1:' . getenv('BEACON_PORT'));
    fwrite($socket, 'beacon ' . getenv('UPSTREAM_NAME') . " $nonce $path");
    fclose($socket);
    $text = "MARKER-RESULT nonce=$nonce\n";
} else {
    $text = "OPEN $path nonce=$nonce\n";
}
header('Content-Length: ' . strlen($text));
echo $text;

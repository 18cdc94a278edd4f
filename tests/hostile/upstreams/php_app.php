<?php
// The hostile test's application in PHP, behind PHP's own server, routed as PHP's routers advise: up to `?`, decoded.
// With TRUSTING=1 it believes the headers that replace the path, as frameworks have done for the sake of IIS; PHP gives
// them the same name whether they are spelled with `-` or with `_`.
$nonce = $_SERVER['HTTP_X_NONCE'] ?? '-';
$target = $_SERVER['REQUEST_URI'];
if (getenv('TRUSTING') === '1') {
    $target = $_SERVER['HTTP_X_ORIGINAL_URL'] ?? $_SERVER['HTTP_X_REWRITE_URL'] ?? $target;
}
header('Content-Type: text/plain');
if (preg_match('~^/api/result/[^/]+$~', rawurldecode(explode('?', $target, 2)[0]))) {
    $socket = stream_socket_client('udp://127.0.0.1:' . getenv('BEACON_PORT'));
    fwrite($socket, 'beacon ' . getenv('UPSTREAM_NAME') . " $nonce $target");
    fclose($socket);
    $text = "MARKER-RESULT nonce=$nonce\n";
} else {
    $text = "OPEN $target nonce=$nonce\n";
}
header('Content-Length: ' . strlen($text));
echo $text;

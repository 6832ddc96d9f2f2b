<?php
// For `php -S`: files are files, directories have their index.php, everything else is WordPress's (pretty permalinks, /wp-json/).
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
// What was answered, and to whom: one line a request.
register_shutdown_function(function () {
    $line = implode("\t", [http_response_code(), $_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $_SERVER['HTTP_USER_AGENT'] ?? '']);
    file_put_contents(getenv('LAB_LOG'), $line . "\n", FILE_APPEND | LOCK_EX);
});
$site = $_SERVER['DOCUMENT_ROOT'];
if ($path !== '/' && is_file($site . $path)) return false;
$script = '/index.php';
if ($path !== '/' && is_file($site . rtrim($path, '/') . '/index.php')) $script = rtrim($path, '/') . '/index.php';
$_SERVER['SCRIPT_NAME'] = $script;
chdir($site);
require $site . $script;

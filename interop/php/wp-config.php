<?php
// Read by WordPress on every request; the database settings are asked for and not used (SQLite).
define('DB_NAME', 'wp'); define('DB_USER', 'wp'); define('DB_PASSWORD', 'wp'); define('DB_HOST', '127.0.0.1');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'] as $key) {
    define($key, 'lab-' . $key);
}
$table_prefix = 'wp_';
define('WP_ENVIRONMENT_TYPE', 'local');     // application passwords without https
define('WP_HTTP_BLOCK_EXTERNAL', true);     // nothing leaves this machine
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISABLE_WP_CRON', true);            // what is scheduled comes out when the scene asks for it
define('WP_SITEURL', getenv('LAB_URL'));
define('WP_HOME', getenv('LAB_URL'));
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';

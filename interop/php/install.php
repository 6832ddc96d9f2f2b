<?php
// Makes the site, one editor, and one account of each other role; prints their application passwords. Usage: php install.php SITE_FOLDER
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = parse_url(getenv('LAB_URL'), PHP_URL_HOST) . ':' . parse_url(getenv('LAB_URL'), PHP_URL_PORT);
$_SERVER['REQUEST_METHOD'] = 'GET';
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Les Amis du Vélo', 'admin', 'admin@lab.test', true, '', wp_generate_password());
update_option('permalink_structure', '/%postname%/');
update_option('WPLANG', 'fr_FR');
wp_delete_post(1, true);
$id = wp_insert_user(['user_login' => 'camille', 'display_name' => 'Camille', 'user_pass' => wp_generate_password(), 'role' => 'editor']);
[$password] = WP_Application_Passwords::create_new_application_password($id, ['name' => 'interop']);
$others = ['admin' => WP_Application_Passwords::create_new_application_password(1, ['name' => 'interop'])[0]];
foreach (['author', 'contributor'] as $role) {
    $id = wp_insert_user(['user_login' => $role, 'user_pass' => wp_generate_password(), 'role' => $role, 'display_name' => "Compte $role"]);
    $others[$role] = WP_Application_Passwords::create_new_application_password($id, ['name' => 'interop'])[0];
}
echo json_encode(['password' => $password, 'others' => $others, 'version' => $GLOBALS['wp_version']]), "\n";

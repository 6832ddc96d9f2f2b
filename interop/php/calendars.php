<?php
// What sabre/vobject, which Nextcloud and Baïkal read calendars with, finds wrong with each calendar that is named.
require '/usr/share/php/Sabre/VObject/includes.php';

foreach (array_slice($argv, 1) as $path) {
    try {
        $calendar = Sabre\VObject\Reader::read(file_get_contents($path));
        foreach ($calendar->validate() as $problem) {
            echo basename($path), ': ', $problem['message'], "\n";
        }
    } catch (Exception $error) {
        echo basename($path), ': ', $error->getMessage(), "\n";
    }
}

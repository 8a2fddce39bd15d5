SELECT 1; -- want unreadable-file

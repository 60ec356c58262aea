package postgres

// TestServer names the variable that lends tests a running server: a connection string of its superuser.
const TestServer = "SLIPWAY_TEST_DATABASE_URL"

// Forgetful are the settings of servers whose data nobody misses.
var Forgetful = []string{"fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "max_connections=300", "shared_buffers=64MB"}

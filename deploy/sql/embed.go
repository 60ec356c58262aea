// Package sql holds what an administrator runs on Slipway's database before the first migration.
package sql

import _ "embed"

// Roles is roles.sql: the development database and the tests run the very file that production runs.
//
//go:embed roles.sql
var Roles string

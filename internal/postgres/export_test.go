package postgres

import "github.com/jackc/pgx/v5/pgxpool"

// PlainReads returns the pool of reads without the settings of a read.
func (d *DB) PlainReads() *pgxpool.Pool { return d.reads }

// BusyReads returns how many connections of that pool are in use.
func (d *DB) BusyReads() int32 { return d.reads.Stat().AcquiredConns() }

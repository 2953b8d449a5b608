package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/jackc/pgx/v5"
)

// db is a workload with PostgreSQL: the transactions of TPC-B on the tables
// that pgbench has for them, by a client that keeps its own books. What a
// transaction returns must be what the books say.
//
//	db.scale  branches, of 10 tellers and 20000 accounts each; a third of the memory full if not given
//	db.rate   transactions each second, 0 if not given, which is as many as can be
//
// The rate can be changed while it runs.
type db struct {
	n      *counts
	pace   pace
	conn   *pgx.Conn
	random *rand.Rand
	text   text

	buffersMiB int // PostgreSQL's own, and twice its log of changes

	// the books
	accounts, tellers, branches []int64
	history                     int64 // rows
	moved                       int64 // sum of their amounts
	texts                       int64 // what textSum returned at the beginning
}

const (
	accountsPerBranch = 20000
	tellersPerBranch  = 10
	// historyLimit is when the history is closed and a new one begun, for it
	// would fill the memory.
	historyLimit = 100000
	pgPrograms   = "/usr/lib/postgresql/15/bin/"
	pgData       = "/tmp/data"
	pgSocket     = "/tmp"
)

func newDB(given settings, n *counts) (load, error) {
	free, err := freeMiB()
	if err != nil {
		return nil, err
	}
	// A branch is some 4 MiB of tables and index, with the room of updates.
	scale, err := given.number("db.scale", max(1, free/3/4), 1, 1000)
	if err != nil {
		return nil, err
	}
	rate, err := given.number("db.rate", 0, 0, 1<<20)
	if err != nil {
		return nil, err
	}
	return &db{
		n: n, pace: pace{rate: float64(rate)}, random: rand.New(rand.NewPCG(5, 6)),
		// Tables and log lie in the guest's memory too, so all grow with it.
		buffersMiB: min(64, max(8, free/8)),
		accounts:   make([]int64, scale*accountsPerBranch),
		tellers:    make([]int64, scale*tellersPerBranch),
		branches:   make([]int64, scale),
	}, nil
}

func (d *db) set(name, value string) error {
	if name != "db.rate" {
		return errNotASetting
	}
	rate, err := parseNumber(name, value, 0, 1<<20)
	if err == nil {
		d.pace = pace{rate: float64(rate)}
	}
	return err
}

func (d *db) prepare(step func(string, ...any)) (string, error) {
	ctx := context.Background()
	if err := os.WriteFile("/etc/passwd", []byte(users), 0o644); err != nil {
		return "", err
	}
	var err error
	if d.text, err = readText(); err != nil {
		return "", err
	}
	step("making a PostgreSQL cluster")
	err = run(command(postgresUser, pgPrograms+"initdb", "-D", pgData, "--data-checksums", "--no-locale", "--encoding=UTF8",
		"--wal-segsize=1", "--auth=trust", "--no-sync", "--no-instructions"))
	if err != nil {
		return "", err
	}
	step("starting PostgreSQL")
	server := command(postgresUser, pgPrograms+"postgres", "-D", pgData, "-k", pgSocket,
		"-c", "listen_addresses=", "-c", fmt.Sprintf("shared_buffers=%dMB", d.buffersMiB), "-c", fmt.Sprintf("max_wal_size=%dMB", d.buffersMiB/2),
		"-c", "min_wal_size=4MB",
		"-c", "wal_init_zero=off", "-c", "jit=off", "-c", "max_connections=10")
	err = serveAt(server, func() (err error) {
		d.conn, err = pgx.Connect(ctx, "host="+pgSocket+" user=postgres database=postgres")
		return err
	})
	if err != nil {
		return "", err
	}
	step("filling PostgreSQL with %d accounts", len(d.accounts))
	if _, err := d.conn.Exec(ctx, `
		CREATE TABLE branches (bid int NOT NULL, bbalance bigint, filler text) WITH (fillfactor=50);
		CREATE TABLE tellers (tid int NOT NULL, bid int, tbalance bigint, filler text) WITH (fillfactor=50);
		CREATE TABLE accounts (aid int NOT NULL, bid int, abalance bigint, filler text) WITH (fillfactor=90);
		CREATE TABLE history (tid int, bid int, aid int, delta bigint, mtime timestamp, filler text)`); err != nil {
		return "", err
	}
	if err := d.fill(ctx, "branches", []string{"bid", "bbalance", "filler"}, len(d.branches), func(i int, text string) []any {
		return []any{i, 0, text}
	}); err != nil {
		return "", err
	}
	if err := d.fill(ctx, "tellers", []string{"tid", "bid", "tbalance", "filler"}, len(d.tellers), func(i int, text string) []any {
		return []any{i, i / tellersPerBranch, 0, text}
	}); err != nil {
		return "", err
	}
	if err := d.fill(ctx, "accounts", []string{"aid", "bid", "abalance", "filler"}, len(d.accounts), func(i int, text string) []any {
		return []any{i, i / accountsPerBranch, 0, text}
	}); err != nil {
		return "", err
	}
	step("indexing and vacuuming")
	for _, statement := range []string{
		"ALTER TABLE branches ADD PRIMARY KEY (bid)", "ALTER TABLE tellers ADD PRIMARY KEY (tid)",
		"ALTER TABLE accounts ADD PRIMARY KEY (aid)", "VACUUM ANALYZE", "CHECKPOINT",
	} {
		if _, err := d.conn.Exec(ctx, statement); err != nil {
			return "", fmt.Errorf("%s: %w", statement, err)
		}
	}
	if err := d.conn.QueryRow(ctx, "SELECT sum(hashtext(filler)) FROM accounts").Scan(&d.texts); err != nil {
		return "", err
	}
	return fmt.Sprintf("PostgreSQL with %d branches, %d tellers, %d accounts", len(d.branches), len(d.tellers), len(d.accounts)), nil
}

// fill fills a table with n rows. Each has a text.
func (d *db) fill(ctx context.Context, table string, columns []string, n int, row func(i int, text string) []any) error {
	var filler []byte
	i := -1
	_, err := d.conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if i++; i == n {
			return nil, nil
		}
		filler = d.text.appendTo(filler[:0], d.random.Uint64(), 84)
		return row(i, string(filler)), nil
	}))
	if err != nil {
		return fmt.Errorf("filling table %s: %w", table, err)
	}
	return nil
}

func (d *db) work() error {
	for range d.pace.due(4) {
		if err := d.transact(); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
	}
	return nil
}

// transact makes a transaction, and compares what it returns with the books.
func (d *db) transact() error {
	ctx := context.Background()
	account := d.random.IntN(len(d.accounts))
	teller := d.random.IntN(len(d.tellers))
	branch := teller / tellersPerBranch
	amount := d.random.Int64N(10001) - 5000

	d.accounts[account] += amount
	d.tellers[teller] += amount
	d.branches[branch] += amount
	d.history++
	d.moved += amount

	var b pgx.Batch
	b.Queue("BEGIN")
	for _, one := range []struct {
		statement string
		id        int
		balance   int64
	}{
		{"UPDATE accounts SET abalance = abalance + $1 WHERE aid = $2 RETURNING abalance", account, d.accounts[account]},
		{"UPDATE tellers SET tbalance = tbalance + $1 WHERE tid = $2 RETURNING tbalance", teller, d.tellers[teller]},
		{"UPDATE branches SET bbalance = bbalance + $1 WHERE bid = $2 RETURNING bbalance", branch, d.branches[branch]},
	} {
		b.Queue(one.statement, amount, one.id).QueryRow(func(row pgx.Row) error {
			var balance int64
			if err := row.Scan(&balance); err != nil {
				return err // no such row is one
			}
			if balance != one.balance {
				d.n.bad.Add(1)
			}
			return nil
		})
	}
	b.Queue("INSERT INTO history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)", teller, branch, account, amount)
	b.Queue("COMMIT")
	if err := d.conn.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	d.n.ops.Add(1)
	if d.history == historyLimit {
		if _, err := d.conn.Exec(ctx, "TRUNCATE history"); err != nil {
			return err
		}
		d.history, d.moved = 0, 0
	}
	return nil
}

// check compares tables and books: rows, sums, and sums weighted with the
// number of the row, so that a balance in the wrong row is found too. It reads
// every row and all texts of the accounts.
func (d *db) check() (n, bad int, text string, err error) {
	for _, table := range []struct {
		query   string
		want    []int64
		columns string
	}{
		{"SELECT count(*), sum(abalance), sum(abalance*aid), sum(hashtext(filler)) FROM accounts", append(sums(d.accounts), d.texts), "accounts"},
		{"SELECT count(*), sum(tbalance), sum(tbalance*tid) FROM tellers", sums(d.tellers), "tellers"},
		{"SELECT count(*), sum(bbalance), sum(bbalance*bid) FROM branches", sums(d.branches), "branches"},
		{"SELECT count(*), coalesce(sum(delta), 0) FROM history", []int64{d.history, d.moved}, "history"},
	} {
		got := make([]int64, len(table.want))
		into := make([]any, len(got))
		for i := range got {
			into[i] = &got[i]
		}
		if err := d.conn.QueryRow(context.Background(), table.query).Scan(into...); err != nil {
			return n, bad, "", fmt.Errorf("postgres: table %s: %w", table.columns, err)
		}
		n += int(got[0])
		for i := range got {
			if got[i] != table.want[i] {
				bad++
			}
		}
	}
	return n, bad, "rows in PostgreSQL, their sums and texts", nil
}

// sums returns the number of balances, their sum, and their sum weighted with
// their place.
func sums(balances []int64) []int64 {
	var sum, weighted int64
	for i, balance := range balances {
		sum += balance
		weighted += balance * int64(i)
	}
	return []int64{int64(len(balances)), sum, weighted}
}

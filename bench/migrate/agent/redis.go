package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"

	"github.com/gomodule/redigo/redis"
)

// store is a workload with Redis: it reads records, checks them and writes
// their next generation. Nine of ten are among a tenth of the keys.
//
//	redis.size  MiB of records; half of the free memory if not given
//	redis.rate  records updated each second, 1000 if not given; 0 is as many as can be
//
// The rate can be changed while it runs.
type store struct {
	n    *counts
	pace pace
	conn redis.Conn
	// generations has what each record must be.
	generations   []uint32
	random        *rand.Rand
	before, after []byte // a record, when it is read and when it is written
	text          text
}

const (
	recordText  = 3000 // bytes of a record's texts
	recordBytes = 3100 // about, in all
	redisSocket = "/run/redis.sock"
	// batch is how many commands go to Redis at a time.
	batch = 8
)

func newRedis(given settings, n *counts) (load, error) {
	free, err := freeMiB()
	if err != nil {
		return nil, err
	}
	size, err := given.number("redis.size", free/2, 1, 1<<20)
	if err != nil {
		return nil, err
	}
	rate, err := given.number("redis.rate", 1000, 0, 1<<20)
	if err != nil {
		return nil, err
	}
	return &store{
		n: n, pace: pace{rate: float64(rate)},
		generations: make([]uint32, size<<20/recordBytes), random: rand.New(rand.NewPCG(3, 4)),
	}, nil
}

func (s *store) set(name, value string) error {
	if name != "redis.rate" {
		return errNotASetting
	}
	rate, err := parseNumber(name, value, 0, 1<<20)
	if err == nil {
		s.pace = pace{rate: float64(rate)}
	}
	return err
}

// widely is a connection that is read from many replies at a time.
type widely struct {
	net.Conn
	reader *bufio.Reader
}

func (w widely) Read(data []byte) (int, error) { return w.reader.Read(data) }

func recordKey(i int) string { return fmt.Sprintf("customer:%07d", i) }

// appendRecord appends a record of a generation. A quarter of its text is of
// that generation, the rest has been so from the beginning.
func (s *store) appendRecord(record []byte, i int, generation uint32) []byte {
	record = fmt.Appendf(record, `{"id":%d,"generation":%d,"history":"`, i, generation)
	record = s.text.appendTo(record, uint64(i), recordText*3/4)
	record = append(record, `","last":"`...)
	record = s.text.appendTo(record, mix(uint64(i))+uint64(generation), recordText/4)
	return append(record, `"}`...)
}

func (s *store) prepare(step func(string, ...any)) (string, error) {
	if err := os.WriteFile("/proc/sys/vm/overcommit_memory", []byte("1"), 0); err != nil {
		return "", err
	}
	step("starting Redis")
	err := serveAt(command(0, "redis-server", "--port", "0", "--unixsocket", redisSocket, "--save", "", "--appendonly", "no", "--dir", "/run"), func() error {
		socket, err := net.Dial("unix", redisSocket)
		if err == nil {
			s.conn = redis.NewConn(widely{socket, bufio.NewReaderSize(socket, 64<<10)}, 0, 0)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if s.text, err = readText(); err != nil {
		return "", err
	}
	step("filling Redis with %d records", len(s.generations))
	for i := 0; i < len(s.generations); {
		sent := 0
		for ; sent < 25*batch && i < len(s.generations); sent, i = sent+1, i+1 {
			s.after = s.appendRecord(s.after[:0], i, 0)
			if err := s.conn.Send("SET", recordKey(i), s.after); err != nil {
				return "", fmt.Errorf("redis: %w", err)
			}
		}
		if err := s.replies(sent); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("Redis with %d records of about %d bytes", len(s.generations), recordBytes), nil
}

// replies waits until Redis has carried out so many commands.
func (s *store) replies(n int) error {
	if err := s.conn.Flush(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	for range n {
		if _, err := s.conn.Receive(); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
	}
	return nil
}

// get reads records and returns how many are not right.
func (s *store) get(records []int) (bad int, err error) {
	for _, i := range records {
		if err := s.conn.Send("GET", recordKey(i)); err != nil {
			return 0, fmt.Errorf("redis: %w", err)
		}
	}
	if err := s.conn.Flush(); err != nil {
		return 0, fmt.Errorf("redis: %w", err)
	}
	for _, i := range records {
		record, err := redis.Bytes(s.conn.Receive())
		if err != nil && err != redis.ErrNil {
			return 0, fmt.Errorf("redis: %w", err)
		}
		s.before = s.appendRecord(s.before[:0], i, s.generations[i])
		if !bytes.Equal(record, s.before) {
			bad++
		}
	}
	return bad, nil
}

func (s *store) work() error {
	var records [batch]int
	n := s.pace.due(batch)
	for i := range n {
		records[i] = s.random.IntN(len(s.generations))
		if s.random.IntN(10) > 0 {
			records[i] /= 10
		}
	}
	bad, err := s.get(records[:n])
	if err != nil {
		return err
	}
	s.n.bad.Add(uint64(bad))
	for _, i := range records[:n] {
		s.generations[i]++
		s.after = s.appendRecord(s.after[:0], i, s.generations[i])
		if err := s.conn.Send("SET", recordKey(i), s.after); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
	}
	if err := s.replies(n); err != nil {
		return err
	}
	s.n.ops.Add(uint64(n))
	return nil
}

func (s *store) check() (n, bad int, text string, err error) {
	keys, err := redis.Int(s.conn.Do("DBSIZE"))
	if err != nil {
		return 0, 0, "", fmt.Errorf("redis: %w", err)
	}
	if keys != len(s.generations) {
		return keys, 0, "", fmt.Errorf("redis has %d keys, not %d", keys, len(s.generations))
	}
	var records [25 * batch]int
	for n < len(s.generations) {
		some := records[:min(len(records), len(s.generations)-n)]
		for i := range some {
			some[i] = n + i
		}
		found, err := s.get(some)
		if err != nil {
			return n, bad, "", err
		}
		n, bad = n+len(some), bad+found
	}
	return n, bad, "records in Redis, all bytes of each", nil
}

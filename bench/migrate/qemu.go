package main

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

// A qemu is a guest's machine, and what it has reported.
type qemu struct {
	*guest.VM
	events *events
	xbzrle bool // has been used
}

// startQEMU starts a machine.
func startQEMU(ctx context.Context, config guest.Config) (*qemu, error) {
	log := &events{changed: make(chan struct{})}
	config.OnEvent = log.add
	vm, err := guest.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	return &qemu{VM: vm, events: log}, nil
}

// set gives one side of a migration its capabilities and parameters.
func (q *qemu) set(ctx context.Context, m method, cacheBytes int64) error {
	type capability struct {
		Name  string `json:"capability"`
		State bool   `json:"state"`
	}
	capabilities := []capability{{"events", true}}
	// A QEMU that the guest came to by another method has the capabilities of
	// that.
	for _, name := range switches {
		capabilities = append(capabilities, capability{name, slices.Contains(m.capabilities, name)})
	}
	if err := q.QMP.Execute(ctx, "migrate-set-capabilities", map[string]any{"capabilities": capabilities}, nil); err != nil {
		return err
	}
	// QEMU limits the bandwidth to 1 Gbit/s unless told otherwise.
	parameters := map[string]any{"downtime-limit": downtimeLimit, "max-bandwidth": 0}
	for name, value := range m.parameters {
		parameters[name] = value
	}
	if m.cache != "" {
		parameters[m.cache] = cacheBytes
	}
	return q.QMP.Execute(ctx, "migrate-set-parameters", parameters, nil)
}

// progress is QEMU's query-migrate.
type progress struct {
	Status    string  `json:"status"`
	Error     string  `json:"error-desc"`
	TotalTime float64 `json:"total-time"` // milliseconds, as are the next two
	SetupTime float64 `json:"setup-time"`
	Downtime  float64 `json:"downtime"`
	RAM       struct {
		Transferred int64 `json:"transferred"`
		Rounds      int   `json:"dirty-sync-count"`
		Normal      int64 `json:"normal"`    // pages
		Duplicate   int64 `json:"duplicate"` // pages of zeros
		Requests    int64 `json:"postcopy-requests"`
	} `json:"ram"`
	Throttle int             `json:"cpu-throttle-percentage"`
	LZRW1    json.RawMessage `json:"multifd-lzrw1"`
	XBZRLE   json.RawMessage `json:"xbzrle-cache"`
}

// ended tells that the migration is over, well or not.
func (p *progress) ended() bool {
	return p.Status == "completed" || p.Status == "failed" || p.Status == "cancelled"
}

// migration asks how the migration stands.
func (q *qemu) migration(ctx context.Context) (*progress, error) {
	var p progress
	err := q.QMP.Execute(ctx, "query-migrate", nil, &p)
	return &p, err
}

// events are those that a QEMU has reported since the last forget.
type events struct {
	mu      sync.Mutex
	all     []guest.Event
	changed chan struct{} // closed and replaced with each change
}

func (l *events) add(event guest.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, event)
	close(l.changed)
	l.changed = make(chan struct{})
}

// forget drops all events so far.
func (l *events) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = nil
}

// next returns a channel that is closed with the next event.
func (l *events) next() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// last returns the last event of a name.
func (l *events) last(name string) (event guest.Event, found bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.all) - 1; i >= 0; i-- {
		if l.all[i].Name == name {
			return l.all[i], true
		}
	}
	return guest.Event{}, false
}

// round returns the round of pre-copy that the migration is in, from 1 on, or
// 0 before the first.
func (l *events) round() int {
	event, _ := l.last("MIGRATION_PASS")
	var data struct{ Pass int }
	json.Unmarshal(event.Data, &data) // nothing, if there is no event
	return data.Pass
}

// status returns the state of the migration, or nothing before it has one.
func (l *events) status() (status string, since time.Time) {
	event, _ := l.last("MIGRATION")
	var data struct{ Status string }
	json.Unmarshal(event.Data, &data)
	return data.Status, moment(event)
}

// moment returns when QEMU reported an event.
func moment(event guest.Event) time.Time {
	return time.UnixMicro(event.Time.Seconds*1e6 + event.Time.Microseconds)
}

package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/lzpage/lzpage/pagestream"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// A state says how far a run is.
type state struct {
	done, total int64  // in a unit of the run's choice; total is 0 where it is not known
	detail      string // for people
}

// A progress shows how far a run is: always on a terminal, otherwise when a
// signal asks for it.
type progress struct {
	title   string
	started time.Time
	state   func() state

	bars *mpb.Progress // nil unless there is a terminal
	bar  *mpb.Bar
}

// beginProgress begins to show how far the run is, as state says.
func (a *app) beginProgress(title string, current func() state) {
	p := &progress{title: formatText(title), started: time.Now(), state: current}
	if !a.quiet && term.IsTerminal(int(os.Stderr.Fd())) {
		p.showBar()
	}
	a.mu.Lock()
	a.progress = p
	a.mu.Unlock()
}

// endProgress stops showing it.
func (a *app) endProgress() {
	a.mu.Lock()
	p := a.progress
	a.progress = nil
	a.mu.Unlock()
	if p != nil && p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}

// sayProgress writes how far the run is, unless a bar shows it.
func (a *app) sayProgress() {
	a.mu.Lock()
	p := a.progress
	a.mu.Unlock()
	switch {
	case p == nil:
		a.say("there is no progress to tell of yet")
	case p.bar == nil:
		s := p.state()
		a.say("%s: %s%s%s", p.title, percent(s), s.detail, p.left(s))
	}
}

func (p *progress) showBar() {
	p.bars = mpb.New(mpb.WithOutput(os.Stderr), mpb.WithWidth(30))
	style := mpb.BarFillerBuilder(mpb.BarStyle())
	if p.state().total == 0 {
		style = mpb.NopStyle()
	}
	p.bar = p.bars.New(0, style,
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
			return p.title + " " + percent(p.state())
		})),
		mpb.BarFillerMiddleware(func(bar mpb.BarFiller) mpb.BarFiller {
			return mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
				now := p.state()
				s.Current, s.Total = now.done, now.total
				return bar.Fill(w, s)
			})
		}),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			s := p.state()
			return s.detail + p.left(s)
		})),
	)
}

// Write writes a line to the user, above the bar if there is one.
func (p *progress) Write(line []byte) (int, error) {
	if p.bars != nil {
		return p.bars.Write(line)
	}
	return os.Stderr.Write(line)
}

func percent(s state) string {
	if s.total == 0 {
		return ""
	}
	return fmt.Sprintf("%d%% ", min(100*s.done/s.total, 100))
}

// left says how long the rest takes at the speed so far.
func (p *progress) left(s state) string {
	if s.done == 0 || s.done >= s.total {
		return ""
	}
	elapsed := time.Since(p.started)
	rest := time.Duration(float64(elapsed) * float64(s.total-s.done) / float64(s.done))
	return fmt.Sprintf(", %v left", rest.Round(time.Second))
}

// A meter keeps how far a stream is.
type meter struct {
	total  int64                         // to do, 0 if unknown
	done   func(pagestream.Totals) int64 // how much of that is done
	plain  bool                          // nothing is known of what is stored
	begun  time.Time
	mu     sync.Mutex
	totals pagestream.Totals
	phase  string // behind the stream's end
}

// A meter of memory measures how much of total bytes has been stored.
func newMemoryMeter(total int64) *meter {
	return &meter{total: total, begun: time.Now(), done: func(t pagestream.Totals) int64 { return int64(t.Bytes) }}
}

// A meter of a stream measures how much of total bytes has been read of it.
func newStreamMeter(total int64) *meter {
	return &meter{total: total, begun: time.Now(), done: func(t pagestream.Totals) int64 { return int64(t.Stored) }}
}

// A meter of restoring measures how much of total bytes has been read, through
// whatever streams.
func newRestoreMeter(total uint64) *meter {
	m := newMemoryMeter(int64(total))
	m.plain = true
	return m
}

// update is the Progress of a Writer or Reader.
func (m *meter) update(t pagestream.Totals) {
	m.mu.Lock()
	m.totals = t
	m.mu.Unlock()
}

// enter says what the run does behind the stream's end.
func (m *meter) enter(phase string) {
	m.mu.Lock()
	m.phase = phase
	m.mu.Unlock()
}

func (m *meter) state() state {
	m.mu.Lock()
	t, phase := m.totals, m.phase
	m.mu.Unlock()
	s := state{done: m.done(t), total: m.total, detail: phase}
	switch seconds := time.Since(m.begun).Seconds(); {
	case phase != "":
	case m.plain:
		s.detail = formatSize(t.Bytes) + ", " + formatRate(t.Bytes, seconds)
	default:
		s.detail = fmt.Sprintf("%s in %s, ratio %.2f, %s", formatSize(t.Bytes), formatSize(t.Stored),
			ratio(t.Bytes, t.Stored), formatRate(t.Bytes, seconds))
	}
	return s
}

// ratio returns how many times larger the bytes are than what stores them.
func ratio(bytes, stored uint64) float64 { return float64(bytes) / float64(max(stored, 1)) }

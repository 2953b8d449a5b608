package pagestream

import (
	"container/list"
	"sync"
)

// earlierPages remembers the last versions of pages that a Reader has handed
// out in rounds. Without it each page that changes in every round would be made
// anew in each, through all rounds before.
//
// What is not remembered has last changed in a round that is known to be so far
// back, so that nobody needs to look for it in the rounds behind that.
type earlierPages struct {
	limit int // pages

	mu    sync.Mutex
	pages map[pageAddress]*list.Element
	order list.List    // of *earlierPage, in order of rounds
	runs  []earlierRun // in order of rounds
	lost  int          // the last round of which something has been forgotten
}

// An earlierPage is a page that is remembered.
type earlierPage struct {
	at    pageAddress
	round int
	zero  bool
	data  []byte
}

// An earlierRun is a zero run that is remembered.
type earlierRun struct {
	region int
	first  uint64
	count  uint64
	round  int
}

const (
	// earlierRuns bounds the runs that are remembered: each look-up passes
	// through them.
	earlierRuns = 1024
	// shortRun is how many zero pages are remembered as pages.
	shortRun = 64
)

func newEarlierPages(limit int) *earlierPages {
	return &earlierPages{limit: max(limit, 1), pages: make(map[pageAddress]*list.Element)}
}

// hand remembers what is handed out.
func (e *earlierPages) hand(p *Pages, pageSize int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.Data == nil && p.Count > shortRun {
		e.addRun(earlierRun{p.Region, p.First, p.Count, p.Round})
		return
	}
	for i := range p.Count {
		page := e.add(pageAddress{uint32(p.Region), p.First + i}, p.Round)
		page.zero = p.Data == nil || p.Kinds[i] == Zero
		if !page.zero {
			page.data = append(page.data[:0], p.Data[i*uint64(pageSize):][:pageSize]...)
		}
	}
}

// add returns the page's place, at the end.
func (e *earlierPages) add(at pageAddress, round int) *earlierPage {
	element := e.pages[at]
	switch {
	case element != nil:
		e.order.MoveToBack(element)
	case len(e.pages) < e.limit:
		element = e.order.PushBack(&earlierPage{at: at})
		e.pages[at] = element
	default:
		element = e.order.Front()
		page := element.Value.(*earlierPage)
		e.lost = max(e.lost, page.round)
		delete(e.pages, page.at)
		page.at = at
		e.pages[at] = element
		e.order.MoveToBack(element)
	}
	page := element.Value.(*earlierPage)
	page.round = round
	return page
}

// addRun adds a run. To forget one is to forget all pages that it may have
// cleared.
func (e *earlierPages) addRun(run earlierRun) {
	if len(e.runs) == earlierRuns {
		e.lost = max(e.lost, e.runs[0].round)
		for element := e.order.Front(); element != nil && element.Value.(*earlierPage).round < e.runs[0].round; element = e.order.Front() {
			delete(e.pages, element.Value.(*earlierPage).at)
			e.order.Remove(element)
		}
		e.runs = e.runs[:copy(e.runs, e.runs[1:])]
	}
	e.runs = append(e.runs, run)
}

// find copies those of the region's pages that are remembered to where they are
// to go. It leaves the others in numbers and dsts, and returns up to which round
// these may have changed.
func (e *earlierPages) find(region int, numbers []uint64, dsts [][]byte) (leftNumbers []uint64, leftDsts [][]byte, lost int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := 0
	for i, number := range numbers {
		if !e.get(dsts[i], region, number) {
			numbers[left], dsts[left] = number, dsts[i]
			left++
		}
	}
	return numbers[:left], dsts[:left], e.lost
}

func (e *earlierPages) get(dst []byte, region int, number uint64) bool {
	element := e.pages[pageAddress{uint32(region), number}]
	round := e.lost // a page that was forgotten may have changed until then
	if element != nil {
		round = element.Value.(*earlierPage).round
	}
	for i := len(e.runs) - 1; i >= 0 && e.runs[i].round > round; i-- {
		if run := &e.runs[i]; run.region == region && number >= run.first && number-run.first < run.count {
			clear(dst)
			return true
		}
	}
	if element == nil {
		return false
	}
	page := element.Value.(*earlierPage)
	if page.zero {
		clear(dst)
	} else {
		copy(dst, page.data)
	}
	return true
}

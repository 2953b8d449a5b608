package delta

import (
	"math"
	"sync"
)

// A CurvePoint says which share of Gets finds its page in a cache of so many
// bytes.
type CurvePoint struct {
	Bytes    int64
	HitRatio float64
}

// curveSizes are the sizes of the curve's points, in quarters of the cache's.
var curveSizes = [...]int{1, 2, 4, 8, 16, 32}

// curveQuarters is their sum.
const curveQuarters = 63

// A cacheCurve estimates the hit ratio of caches of other sizes. For each size
// it runs a model: the policy alone, without pages, scaled down, for a sample
// of the keys that is chosen by their hash. What a model finds for its keys,
// the real cache would find for all (miniature simulation; the choice of keys
// is that of SHARDS).
type cacheCurve struct {
	threshold uint32 // of the hashes of keys in the sample; 0 if there is none
	bytes     int64

	mu       sync.Mutex
	requests requestCounts
	models   [len(curveSizes)]cachePolicy
	gets     uint64
	hits     [len(curveSizes)]uint64
}

const (
	// sampleShare is what part of the cache's bytes the models may take.
	sampleShare = 64
	// maxSample is how many entries a model of the cache's own size has at
	// most: more do not make the estimate better by much.
	maxSample = 2048
	// sampleBytes is what one of them takes in all models.
	sampleBytes = curveQuarters*(cacheEntryBytes+cacheSlotBytes)/4 + sampleRequests*requestBytes
)

// sampleEntries returns how many entries a model of the cache's own size has.
func sampleEntries(bytes, perEntry int64) int {
	return int(min(bytes/sampleShare/sampleBytes, maxSample, bytes/perEntry))
}

// sampleOf returns the share of the keys that are in the sample.
func sampleOf(l cacheLayout) float64 {
	return float64(l.sample) / float64(l.shards*l.entries)
}

// modelLayouts returns what the models of a cache have.
func modelLayouts(bytes int64, pageSize int, own cacheLayout) (models [len(curveSizes)]cacheLayout) {
	for i, quarters := range curveSizes {
		models[i] = layoutCache(bytes/4*int64(quarters), pageSize).scale(sampleOf(own))
	}
	return models
}

func (c *cacheCurve) init(m *cacheMemory, own cacheLayout, models [len(curveSizes)]cacheLayout, bytes int64, pageSize int) {
	c.bytes = bytes
	c.threshold = uint32(min(sampleOf(own)*(1<<32), math.MaxUint32))
	c.requests.init(m, own.sample*sampleRequests)
	for i, l := range models {
		model := &c.models[i]
		model.init(m, l.entries, l.blocks, pageSize)
		model.packs = true
		model.pack = func(e uint32) { model.entries[e].form = cacheForm(model.entries[e].block) }
	}
}

// samples reports whether a key is in the sample, by bits of its hash that
// choose nothing else.
func (c *cacheCurve) samples(h uint64) bool {
	return uint32(h*0xaef17502108ef2d9>>32) < c.threshold
}

func (c *cacheCurve) get(h uint64, key Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gets++
	count := c.requests.add(h)
	for i := range c.models {
		m := &c.models[i]
		if e := m.find(h, key); e != 0 {
			m.touch(e, count)
			c.hits[i]++
		}
	}
}

// put has the models keep a page of these forms or not, 0 for zeros.
func (c *cacheCurve) put(h uint64, key Key, loose, packed cacheForm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := c.requests.of(h)
	for i := range c.models {
		m := &c.models[i]
		e := m.find(h, key)
		if loose == 0 {
			if e != 0 {
				m.remove(e)
			}
			continue
		}
		limit := m.admits(e, key, count)
		if limit < 0 {
			continue
		}
		if e = m.claim(e, h, key, limit); e == 0 {
			continue
		}
		form := loose
		if form.loose() && !m.loosen(form.length()) {
			form = packed
		}
		if m.place(e, count, limit, form) {
			m.entries[e].block = uint32(packed)
		}
	}
}

func (c *cacheCurve) endRound(age bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.models {
		c.models[i].endRound(age)
	}
	if age {
		c.requests.halve()
	}
}

// Curve returns the hit ratio to expect of caches a quarter to eight times as
// large as this one, in ascending order, had they been given all that it was
// given. It is an estimate from a sample of the pages, and it is zero as long
// as nothing of the sample has been asked for.
func (c *Cache) Curve() []CurvePoint {
	m := &c.curve
	m.mu.Lock()
	defer m.mu.Unlock()
	points := make([]CurvePoint, len(curveSizes))
	for i, quarters := range curveSizes {
		points[i] = CurvePoint{m.bytes / 4 * int64(quarters), ratio(m.hits[i], m.gets)}
	}
	return points
}

// Advise returns the size in bytes of the smallest cache that finds the given
// share (0 to 1) of what the best size of the curve finds. It knows no sizes
// beyond the curve's, and goes straight from point to point.
func (c *Cache) Advise(share float64) int64 { return advise(c.Curve(), share) }

func advise(curve []CurvePoint, share float64) int64 {
	best := 0.0
	for _, p := range curve {
		best = max(best, p.HitRatio)
	}
	wanted := min(share, 1) * best
	for i, p := range curve {
		if p.HitRatio < wanted {
			continue
		}
		if i == 0 {
			return p.Bytes
		}
		before := curve[i-1]
		part := (wanted - before.HitRatio) / (p.HitRatio - before.HitRatio)
		return before.Bytes + int64(part*float64(p.Bytes-before.Bytes))
	}
	return curve[len(curve)-1].Bytes
}

package pagestream

// Totals is what a stream holds and takes.
type Totals struct {
	ID      ID // known at the stream's end
	Regions int
	Rounds  int    // behind round 0
	Frames  uint64 // all, the end frame included
	Bytes   uint64 // of all regions
	Stored  uint64 // of the stream
	// Kept counts the pages of all regions that round 0 leaves to the stream's
	// base. It is known at the stream's end.
	Kept uint64
	// Pages counts the pages carried by kind, in all rounds.
	Pages [Kinds]uint64
	// PageBytes is what the pages of each kind take in the stream, in bytes,
	// frame headers and index left aside.
	PageBytes [Kinds]uint64
}

// add counts a page with its record.
func (t *Totals) add(r *pageRecord) {
	t.Pages[r.kind]++
	t.PageBytes[r.kind] += uint64(r.size() + r.block)
}

// appendEnd appends an end frame's payload.
func (t *Totals) appendEnd(b []byte, index int64) []byte {
	at := len(b)
	b = le.AppendUint64(b, uint64(index))
	b = le.AppendUint64(b, t.Frames)
	b = le.AppendUint64(b, t.Bytes)
	b = le.AppendUint64(b, uint64(t.Rounds))
	b = le.AppendUint64(b, t.Kept)
	for _, n := range t.Pages {
		b = le.AppendUint64(b, n)
	}
	b = append(b, t.ID[:]...)
	b = le.AppendUint32(b, uint32(frameHeaderSize+len(b)-at+endTail))
	return le.AppendUint32(b, endMark)
}

// endTail is the size of what leads to an end frame from behind.
const endTail = 8

// An ending is what an end frame says.
type ending struct {
	index  int64
	totals Totals // Frames without the end frame, no Regions, Stored and PageBytes
}

// parseEnd reads an end frame's payload. It reports false where that cannot
// be.
func parseEnd(payload []byte) (e ending, ok bool, err error) {
	if len(payload) < endTail {
		return e, false, nil
	}
	c := cursor{rest: payload[:len(payload)-endTail]}
	index := c.uint64()
	e.index = int64(index)
	e.totals.Frames = c.uint64()
	e.totals.Bytes = c.uint64()
	rounds := c.uint64()
	e.totals.Rounds = int(rounds)
	e.totals.Kept = c.uint64()
	for kind := range e.totals.Pages {
		e.totals.Pages[kind] = c.uint64()
	}
	copy(e.totals.ID[:], c.bytes(uint64(len(e.totals.ID))))
	err = c.fields(func(uint64, []byte) bool { return false })
	tail := payload[len(payload)-endTail:]
	ok = !c.bad && e.index >= 0 && rounds <= MaxRounds && le.Uint32(tail) == uint32(frameHeaderSize+len(payload)) && le.Uint32(tail[4:]) == endMark
	return e, ok, err
}

package delta

// A blockArena is memory in blocks of one size. What it stores is a chain of
// them, so that any length finds its place while there are blocks enough.
type blockArena struct {
	data []byte
	next []uint32 // by block, the next one in its chain
	free uint32   // the first block that is not in use
	size int      // of a block in bytes
}

const noBlock = ^uint32(0)

// arenaLinkBytes is what a block takes beside its data.
const arenaLinkBytes = 4

// cacheBlock returns the size of blocks for pages: a sixteenth, so that half a
// block, which is lost at a chain's end, is little.
func cacheBlock(pageSize int) int { return (pageSize/16 + 63) &^ 63 }

func (a *blockArena) init(m *cacheMemory, blocks, size int) {
	*a = blockArena{data: take(&m.blocks, blocks*size), next: take(&m.links, blocks), size: size}
	for i := range a.next {
		a.next[i] = uint32(i) + 1
	}
	a.next[blocks-1] = noBlock
}

// store copies the data to blocks, of which there must be enough, and returns
// the first.
func (a *blockArena) store(data []byte) (first uint32) {
	last := &first
	for len(data) > 0 {
		b := a.free
		a.free = a.next[b]
		*last = b
		last = &a.next[b]
		data = data[copy(a.block(b), data):]
	}
	*last = noBlock
	return first
}

// load fills dst from a chain of blocks.
func (a *blockArena) load(dst []byte, first uint32) {
	for b := first; len(dst) > 0; b = a.next[b] {
		dst = dst[copy(dst, a.block(b)):]
	}
}

// release gives back a chain of blocks.
func (a *blockArena) release(first uint32) {
	last := first
	for a.next[last] != noBlock {
		last = a.next[last]
	}
	a.next[last] = a.free
	a.free = first
}

func (a *blockArena) block(b uint32) []byte {
	return a.data[int(b)*a.size:][:a.size]
}

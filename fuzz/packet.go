package fuzz

import (
	"bytes"
	"errors"

	"github.com/lzpage/lzpage/pagestream"
)

const (
	packetPage  = 512
	packetPages = 40 // of the memory
)

// packetDecoder is used for all inputs, as users do.
var packetDecoder = func() *pagestream.FrameDecoder {
	d, err := pagestream.NewFrameDecoder(packetPage)
	check(err == nil, "%v", err)
	return d
}()

// packetMemory returns what a receiver of packets has.
func packetMemory() []byte { return noise(packetPages*packetPage, 7) }

// packetDecode takes a hostile frame, with its own CRCs put right or not, and
// decodes it into memory. It must leave alone what is not of its pages, and a
// frame that is taken must be taken again, with the same result.
func packetDecode(data []byte) {
	if len(data) > maxStream {
		return
	}
	defer watch(len(data))()
	c := choices{data}
	repaired, pages := c.bool(), c.byte()%packetPages+1
	packet := c.rest
	if repaired {
		if frames := split(packet); len(frames) > 0 {
			packet = join(frames[:1])
		}
	}
	before := packetMemory()
	after := bytes.Clone(before)
	numbers, err := decodePacket(after, pages, packet)
	sent := make([]bool, packetPages)
	for i, number := range numbers {
		check(i == 0 || numbers[i-1] < number, "pages %d", numbers)
		if number < uint64(pages) {
			sent[number] = true
		}
	}
	for i := range sent {
		at := i * packetPage
		check(sent[i] && numbers[len(numbers)-1] < uint64(pages) || bytes.Equal(before[at:][:packetPage], after[at:][:packetPage]), "page %d, which is not of the frame, changes", i)
	}
	if err == nil {
		again := bytes.Clone(before)
		_, err := decodePacket(again, pages, packet)
		check(err == nil && bytes.Equal(again, after), "the second time: %v", err)
	}
}

func decodePacket(memory []byte, pages int, packet []byte) (numbers []uint64, err error) {
	var e *pagestream.Error
	if err := packetDecoder.Parse(packet); err != nil {
		check(errors.As(err, &e) && len(packetDecoder.Numbers()) == 0, "a frame is refused with %v", err)
		return nil, err
	}
	numbers = append(numbers, packetDecoder.Numbers()...)
	err = packetDecoder.Decode(memory[:pages*packetPage])
	check(err == nil || errors.As(err, &e), "a frame cannot be decoded: %v", err)
	return numbers, err
}

// packetSeeds returns frames of pages of each kind.
func packetSeeds() (seeds [][]byte) {
	old := packetMemory()
	for i, level := range levels {
		encoder, err := pagestream.NewFrameEncoder(packetPage, level)
		check(err == nil, "%v", err)
		for share := range 4 {
			var p pagestream.FramePages
			for number := share; number < packetPages; number += share + 1 {
				page := bytes.Clone(old[number*packetPage:][:packetPage])
				earlier := bytes.Clone(page)
				switch number % 7 {
				case 0:
					clear(page)
				case 1:
					copy(page, bytes.Repeat([]byte("01234567"), packetPage/8))
				case 2:
					copy(page, old[:packetPage])
					earlier = nil
				case 3:
					clear(page[packetPage/8 : packetPage/2])
					earlier = nil
				default:
					page[number] ^= 0x40
				}
				p.Numbers = append(p.Numbers, uint64(number))
				p.Data = append(p.Data, page...)
				p.Earlier = append(p.Earlier, earlier)
			}
			frame, err := encoder.Append(nil, 0, p)
			check(err == nil, "%v", err)
			seeds = append(seeds, append([]byte{byte(i & 1), packetPages - 1}, frame...))
		}
	}
	return seeds
}

//go:build gofuzz

package fuzz

func FuzzBlockDecode(data []byte) int   { blockDecode(data); return 0 }
func FuzzBlockEncode(data []byte) int   { blockEncode(data); return 0 }
func FuzzFlagged(data []byte) int       { flagged(data); return 0 }
func FuzzEncodeKernels(data []byte) int { encodeKernels(data); return 0 }
func FuzzDecodeKernels(data []byte) int { decodeKernels(data); return 0 }
func FuzzWordKernels(data []byte) int   { wordKernels(data); return 0 }
func FuzzDeltaApply(data []byte) int    { deltaApply(data); return 0 }
func FuzzDeltaEncode(data []byte) int   { deltaEncode(data); return 0 }
func FuzzXBZRLE(data []byte) int        { xbzrleApply(data); return 0 }
func FuzzStreamRead(data []byte) int    { streamRead(data); return 0 }
func FuzzStreamSalvage(data []byte) int { streamSalvage(data); return 0 }
func FuzzStreamReadAt(data []byte) int  { streamReadAt(data); return 0 }
func FuzzStreamWrite(data []byte) int   { streamWrite(data); return 0 }
func FuzzStreamDamage(data []byte) int  { streamDamage(data); return 0 }
func FuzzChainRead(data []byte) int     { chainRead(data); return 0 }
func FuzzChainReadAt(data []byte) int   { chainReadAt(data); return 0 }
func FuzzChainWrite(data []byte) int    { chainWrite(data); return 0 }
func FuzzPacket(data []byte) int        { packetDecode(data); return 0 }
func FuzzImage(data []byte) int         { imageOpen(data); return 0 }

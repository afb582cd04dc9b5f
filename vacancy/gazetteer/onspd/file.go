package onspd

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sort"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// perBlock is how many records are read for one lookup. The key of each
// block's first record is kept in memory: some 100 kB for all postcodes.
const perBlock = 256

// A File answers for the postcodes of an import. It is safe for concurrent
// use and reads a few kilobytes of the disk for each lookup.
type File struct {
	r      io.ReaderAt
	close  func() error
	count  int
	info   Info
	blocks []uint64
}

var _ gazetteer.Postcodes = (*File)(nil)

// Info says what a file holds, for people and for bug reports.
type Info struct {
	Edition         string // as given to Import
	Codes           int    // postcodes, sectors and outward codes
	Bytes           int64
	Checksum        uint32 // of the records
	NorthernIreland bool
}

// Open opens a file that Import has written, and checks the whole of it. The
// error wraps ErrLayout for a file that is damaged or none of ours.
func Open(name string) (*File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	file, err := newFile(f)
	if err != nil {
		_ = f.Close() // it was only read
		return nil, fmt.Errorf("open postcodes %s: %w", name, err)
	}
	file.close = f.Close
	return file, nil
}

func newFile(r io.ReaderAt) (*File, error) {
	head := make([]byte, headerSize)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("%w: no header: %w", ErrLayout, err)
	}
	body := head[:headerSize-4]
	if !bytes.HasPrefix(head, []byte(magic)) {
		return nil, fmt.Errorf("%w: not a file of postcodes, or of another version: import them again", ErrLayout)
	}
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(head[len(body):]) {
		return nil, fmt.Errorf("%w: the header is damaged: import the postcodes again", ErrLayout)
	}
	number := func(at int) uint32 { return binary.BigEndian.Uint32(head[len(magic)+at:]) }
	f := &File{r: r, count: int(number(4)), close: func() error { return nil }}
	f.info = Info{
		Edition:         string(bytes.TrimRight(body[len(magic)+12:], "\x00")),
		Codes:           f.count,
		Bytes:           headerSize + int64(f.count)*recordSize,
		Checksum:        number(8),
		NorthernIreland: number(0)&hasIreland != 0,
	}
	if f.count > 2*maxRecords {
		return nil, fmt.Errorf("%w: %d records", ErrLayout, f.count)
	}
	return f, f.check()
}

// check reads the file once, for its checksum, its order and its blocks.
func (f *File) check() error {
	sum := crc32.New(castagnoli)
	var last uint64
	for at := 0; at < f.count; at += perBlock {
		block, err := f.block(at / perBlock)
		if err != nil {
			return fmt.Errorf("%w: cut off: %w", ErrLayout, err)
		}
		sum.Write(block)
		f.blocks = append(f.blocks, recordKey(block))
		for ; len(block) > 0; block = block[recordSize:] {
			key := recordKey(block)
			if key <= last || int(block[11]&15) >= len(gazetteer.Regions()) {
				return fmt.Errorf("%w: a record is damaged: import the postcodes again", ErrLayout)
			}
			last = key
		}
	}
	if sum.Sum32() != f.info.Checksum {
		return fmt.Errorf("%w: the checksum is wrong: import the postcodes again", ErrLayout)
	}
	return nil
}

func (f *File) block(n int) ([]byte, error) {
	b := make([]byte, recordSize*min(perBlock, f.count-n*perBlock))
	_, err := f.r.ReadAt(b, headerSize+int64(n)*perBlock*recordSize)
	return b, err
}

// Lookup returns the point and the region of a postcode, sector or outward
// code in its canonical spelling; see gazetteer.Postcodes. A file that cannot
// be read any more holds nothing.
func (f *File) Lookup(code string) (p gazetteer.Point, region string, ok bool) {
	r, ok := f.find(code)
	if !ok {
		return gazetteer.Point{}, "", false
	}
	return r.point(), gazetteer.Regions()[r.region&15], true
}

// Ended reports whether the file holds a whole postcode that is no longer in
// use.
func (f *File) Ended(postcode string) bool {
	r, ok := f.find(postcode)
	return ok && r.region&endedBit != 0
}

func (f *File) find(code string) (record, bool) {
	key, ok := keyOf(code)
	if !ok {
		return record{}, false
	}
	n := sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i] > key }) - 1
	if n < 0 {
		return record{}, false
	}
	block, err := f.block(n)
	if err != nil {
		return record{}, false
	}
	records := len(block) / recordSize
	i := sort.Search(records, func(i int) bool { return recordKey(block[i*recordSize:]) >= key })
	if i == records {
		return record{}, false
	}
	r := readRecord(block[i*recordSize:])
	return r, r.key == key
}

// Info says what the file holds.
func (f *File) Info() Info { return f.info }

// Close gives the file back. No lookup may come after it.
func (f *File) Close() error { return f.close() }

// Package onspd gives the gazetteer every postcode of the United Kingdom from
// a file that an operator has fetched: the ONS Postcode Directory (ONSPD) or
// the National Statistics Postcode Lookup (NSPL), both of the Office for
// National Statistics under the Open Government Licence v3.0.
//
// [Import] turns such a CSV file into one small sorted file, which [Open]
// reads. It never fetches anything and never guesses: a file whose columns it
// does not know is an error, and a bad row is left out and counted.
//
// Columns are found by the beginning of their names, for these change with
// the edition: pcds, doterm, lat and long are called so in all of them; the
// country was ctry and is ctry25cd, the region rgn and rgn25cd.
//
// Postcodes that were ended are kept, as old adverts and old signs carry them.
// Those of Northern Ireland (BT) are taken in only when asked for: their
// commercial use needs a licence of Land & Property Services.
//
// The file, in big-endian numbers:
//
//	header   magic, flags, number of records, checksum of the records, name of the edition
//	records  12 bytes each, in ascending order of the key
//	  5 bytes  key: the seven characters of outward and inward part, base 37
//	  3 bytes  latitude in 0.00001 degrees north of 49 N
//	  3 bytes  longitude in 0.00001 degrees east of 9 W
//	  1 byte   region in the lower half; 16: ended
//
// Besides whole postcodes there is a record for each sector and outward code,
// with the median of its postcodes, which sorts before them.
package onspd

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

const (
	magic      = "vwpost\x00\x01"
	headerSize = 64
	keySize    = 5
	recordSize = 12

	hasIreland = 1 // in flags
	endedBit   = 16
)

// maxRecords is more than all postcodes ever given out, with their sectors: a
// file that claims more is none of ours. It bounds the memory of an import.
const maxRecords = 4_000_000

// ErrLayout says that a file is not what the package reads.
var ErrLayout = errors.New("unknown layout")

const (
	south, west = 49.0, -9.0
	scale       = 1e5
)

// A record is a postcode, a sector or an outward code.
type record struct {
	key      uint64
	lat, lon int32 // from south and west, in 1/scale degrees
	region   uint8 // index of gazetteer.Regions, and endedBit
}

func (r record) point() gazetteer.Point {
	return gazetteer.Point{Lat: south + float64(r.lat)/scale, Lon: west + float64(r.lon)/scale}
}

// steps turns degrees into those of a record; false outside of what fits, and
// so for the 99.999999 degrees that stand for "no place known".
func steps(lat, lon float64) (int32, int32, bool) {
	y, x := math.Round((lat-south)*scale), math.Round((lon-west)*scale)
	const widest = 1 << 24
	if !(y > 0 && y < 13*scale && x > 0 && x < 12*scale) || y >= widest || x >= widest {
		return 0, 0, false
	}
	return int32(y), int32(x), true
}

func (r record) append(b []byte) []byte {
	b = append(b, byte(r.key>>32), byte(r.key>>24), byte(r.key>>16), byte(r.key>>8), byte(r.key))
	b = append(b, byte(r.lat>>16), byte(r.lat>>8), byte(r.lat))
	return append(b, byte(r.lon>>16), byte(r.lon>>8), byte(r.lon), r.region)
}

// packed is a record as it stands in the file. An import holds millions.
type packed [recordSize]byte

func (r record) pack() (p packed) {
	r.append(p[:0])
	return p
}

func recordKey(b []byte) uint64 {
	return uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:]))
}

func readRecord(b []byte) record {
	return record{
		key:    recordKey(b),
		lat:    int32(b[5])<<16 | int32(b[6])<<8 | int32(b[7]),
		lon:    int32(b[8])<<16 | int32(b[9])<<8 | int32(b[10]),
		region: b[11],
	}
}

// keyOf packs a canonical code: "GL3 4AW", "GL3 4", "GL3". A shorter code sorts
// before those that begin with it.
func keyOf(code string) (uint64, bool) {
	outward, inward, _ := strings.Cut(code, " ")
	if outward == "" || len(outward) > 4 || len(inward) > 3 {
		return 0, false
	}
	var key uint64
	for i := range 7 {
		part, at := outward, i
		if i >= 4 {
			part, at = inward, i-4
		}
		digit := uint64(0)
		if at < len(part) {
			switch c := part[at]; {
			case '0' <= c && c <= '9':
				digit = uint64(c-'0') + 1
			case 'A' <= c && c <= 'Z':
				digit = uint64(c-'A') + 11
			default:
				return 0, false
			}
		}
		key = key*37 + digit
	}
	return key, true
}

// The keys of the sector and the outward code of a postcode.
func sectorKey(key uint64) uint64  { return key / (37 * 37) * (37 * 37) }
func outwardKey(key uint64) uint64 { return key / (37 * 37 * 37) * (37 * 37 * 37) }

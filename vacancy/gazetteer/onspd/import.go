package onspd

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
)

// Options of an import.
type Options struct {
	// Edition names the data, for Info: "ONSPD May 2026". At most 40 bytes
	// are kept.
	Edition string
	// NorthernIreland takes in the BT postcodes, see the package comment.
	NorthernIreland bool
}

// A Report counts the rows of an import.
type Report struct {
	Rows            int // all but the header
	Kept            int // whole postcodes in the file
	Ended           int // of those kept, no longer in use
	NorthernIreland int // left out for their licence
	NoPlace         int // left out: without a place, or outside the United Kingdom
	Invalid         int // left out: unreadable
	Sectors         int // sectors and outward codes that the postcodes make
}

// maxLine is the longest line of a CSV file that is read. Real ones have some
// 400 bytes.
const maxLine = 64 << 10

// Import reads the CSV file of an ONSPD or NSPL and puts what it holds in the
// place of the file dst. Whoever has that open keeps the old one, and after an
// error it is as it was. A whole directory takes some 100 MB of memory, and no
// input more than twice as much.
func Import(dst string, csv io.Reader, o Options) (Report, error) {
	records, report, err := read(csv, o)
	if err != nil {
		return report, fmt.Errorf("read postcodes: %w", err)
	}
	written, err := replace(dst, withCodes(records), o)
	if err != nil {
		return report, fmt.Errorf("write postcodes: %w", err)
	}
	report.Sectors = written - len(records)
	return report, nil
}

// columns are where the values stand in a row.
type columns struct{ postcode, ended, country, region, lat, lon, count int }

func findColumns(header []string) (columns, error) {
	c := columns{count: len(header)}
	var missing []string
	for _, want := range []struct {
		at    *int
		begin string
	}{
		{&c.postcode, "pcds"}, {&c.ended, "doterm"}, {&c.country, "ctry"}, {&c.region, "rgn"}, {&c.lat, "lat"}, {&c.lon, "long"},
	} {
		*want.at = slices.IndexFunc(header, func(name string) bool {
			rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(name)), want.begin)
			// What follows is a year and "cd"; "latest" is no latitude.
			return ok && (rest == "" || rest[0] >= '0' && rest[0] <= '9')
		})
		if *want.at < 0 {
			missing = append(missing, want.begin)
		}
	}
	if missing != nil {
		return c, fmt.Errorf("%w: the first line names no column %s; give the CSV file of an ONSPD or NSPL", ErrLayout, strings.Join(missing, ", "))
	}
	return c, nil
}

// countryRegion are the countries that are regions of the gazetteer.
var countryRegion = map[string]string{"W92000004": "Wales", "S92000003": "Scotland", "N92000002": gazetteer.NorthernIreland}

// regionIndex returns the region of a row as an index of gazetteer.Regions.
// The regions of England have the codes E12000001 to E12000009 in that order.
func regionIndex(country, region, postcode string) (uint8, bool) {
	if n, err := strconv.Atoi(strings.TrimPrefix(region, "E1200000")); err == nil && n >= 1 && n <= 9 && len(region) == 9 {
		return uint8(n - 1), true
	}
	name, ok := countryRegion[country]
	if !ok {
		name, ok = gazetteer.RegionOf(postcode)
	}
	return uint8(max(slices.Index(gazetteer.Regions(), name), 0)), ok
}

func read(csv io.Reader, o Options) ([]packed, Report, error) {
	var report Report
	lines := bufio.NewScanner(csv)
	lines.Buffer(make([]byte, 4096), maxLine)
	if !lines.Scan() {
		return nil, report, cmp.Or(lines.Err(), fmt.Errorf("%w: the file is empty", ErrLayout))
	}
	fields := make([]string, 0, 64)
	header, ok := split(strings.TrimPrefix(lines.Text(), "\ufeff"), fields)
	if !ok {
		return nil, report, fmt.Errorf("%w: the first line is no CSV", ErrLayout)
	}
	at, err := findColumns(header)
	if err != nil {
		return nil, report, err
	}
	var records []packed
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		report.Rows++
		row, ok := split(lines.Text(), fields)
		if !ok || len(row) != at.count {
			report.Invalid++
			continue
		}
		code, ok := gazetteer.NormalisePostcode(row[at.postcode])
		lat, err := strconv.ParseFloat(row[at.lat], 64)
		lon, err2 := strconv.ParseFloat(row[at.lon], 64)
		key, ok2 := keyOf(code)
		if !ok || !ok2 || err != nil || err2 != nil {
			if ok && row[at.lat] == "" {
				report.NoPlace++
				continue
			}
			report.Invalid++
			continue
		}
		region, known := regionIndex(row[at.country], row[at.region], code)
		y, x, placed := steps(lat, lon)
		if !known || !placed {
			report.NoPlace++
			continue
		}
		if gazetteer.Regions()[region] == gazetteer.NorthernIreland || strings.HasPrefix(code, "BT") {
			if !o.NorthernIreland {
				report.NorthernIreland++
				continue
			}
		}
		if row[at.ended] != "" {
			region |= endedBit
		}
		if len(records) == maxRecords {
			return nil, report, fmt.Errorf("%w: more than %d postcodes", ErrLayout, maxRecords)
		}
		records = append(records, record{key, y, x, region}.pack())
	}
	if err := lines.Err(); err != nil {
		return nil, report, fmt.Errorf("after row %d: %w", report.Rows, err)
	}
	// A list in which much is unreadable is another list.
	if len(records) == 0 || report.Invalid > report.Rows/20 {
		return nil, report, fmt.Errorf("%w: of %d rows %d can be read and %d make no sense", ErrLayout, report.Rows, len(records), report.Invalid)
	}
	records = sorted(records)
	report.Kept = len(records)
	for _, r := range records {
		if r[recordSize-1]&endedBit != 0 {
			report.Ended++
		}
	}
	return records, report, nil
}

// split divides a line of CSV without line breaks inside of quotes, which the
// files do not have. The fields are appended to into[:0].
func split(line string, into []string) ([]string, bool) {
	line = strings.TrimSuffix(line, "\r")
	out := into[:0]
	for {
		var field string
		if strings.HasPrefix(line, `"`) {
			end := 1
			for {
				i := strings.IndexByte(line[end:], '"')
				if i < 0 {
					return nil, false
				}
				end += i + 1
				if !strings.HasPrefix(line[end:], `"`) {
					break
				}
				end++
			}
			field, line = strings.ReplaceAll(line[1:end-1], `""`, `"`), line[end:]
			if line != "" && line[0] != ',' {
				return nil, false
			}
		} else {
			i := strings.IndexByte(line, ',')
			if i < 0 {
				i = len(line)
			}
			field, line = line[:i], line[i:]
		}
		out = append(out, strings.TrimSpace(field))
		if line == "" {
			return out, true
		}
		line = line[1:]
	}
}

// sorted orders records and leaves one of each postcode, rather one in use.
func sorted(records []packed) []packed {
	slices.SortFunc(records, func(a, b packed) int {
		return cmp.Or(
			bytes.Compare(a[:keySize], b[:keySize]),
			int(a[recordSize-1]&endedBit)-int(b[recordSize-1]&endedBit),
			bytes.Compare(a[keySize:], b[keySize:]),
		)
	})
	return slices.CompactFunc(records, func(a, b packed) bool { return [keySize]byte(a[:]) == [keySize]byte(b[:]) })
}

// withCodes yields sorted postcodes and, before those that they are made of,
// the sectors and outward codes.
func withCodes(postcodes []packed) iter.Seq[packed] {
	var lats, lons []int32
	median := func(key uint64, group []packed) packed {
		lats, lons = lats[:0], lons[:0]
		var regions [16]int
		for i := range group {
			r := readRecord(group[i][:])
			lats, lons = append(lats, r.lat), append(lons, r.lon)
			regions[r.region&15]++
		}
		slices.Sort(lats)
		slices.Sort(lons)
		region := 0
		for i, n := range regions {
			if n > regions[region] {
				region = i
			}
		}
		return record{key, lats[len(lats)/2], lons[len(lons)/2], uint8(region)}.pack()
	}
	// group returns the end of the postcodes that share a part of their keys.
	group := func(from int, part func(uint64) uint64) (key uint64, end int) {
		key = part(recordKey(postcodes[from][:]))
		for end = from; end < len(postcodes) && part(recordKey(postcodes[end][:])) == key; end++ {
		}
		return key, end
	}
	return func(yield func(packed) bool) {
		for i := 0; i < len(postcodes); {
			outward, last := group(i, outwardKey)
			if !yield(median(outward, postcodes[i:last])) {
				return
			}
			for i < last {
				sector, end := group(i, sectorKey)
				if !yield(median(sector, postcodes[i:end])) {
					return
				}
				for ; i < end; i++ {
					if !yield(postcodes[i]) {
						return
					}
				}
			}
		}
	}
}

// replace writes records beside dst and then puts them in its place. It returns
// how many there were.
func replace(dst string, records iter.Seq[packed], o Options) (count int, err error) {
	f, err := os.CreateTemp(filepath.Dir(dst), filepath.Base(dst)+".*")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	sum := crc32.New(castagnoli)
	w := bufio.NewWriterSize(f, 1<<16)
	if _, err := w.Write(make([]byte, headerSize)); err != nil {
		return 0, err
	}
	both := io.MultiWriter(w, sum)
	for r := range records {
		if _, err := both.Write(r[:]); err != nil {
			return 0, err
		}
		count++
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	if _, err := f.WriteAt(header(count, sum.Sum32(), o), 0); err != nil {
		return 0, err
	}
	if err := f.Chmod(0o644); err != nil {
		return 0, err
	}
	// What is not on the disk must not get the name: after a loss of power the
	// old file is better than half of the new one.
	if err := f.Sync(); err != nil {
		return 0, err
	}
	if err := os.Rename(f.Name(), dst); err != nil {
		return 0, err
	}
	return count, f.Close()
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const editionSize = 40

func header(count int, sum uint32, o Options) []byte {
	h := make([]byte, 0, headerSize)
	h = append(h, magic...)
	var flags uint32
	if o.NorthernIreland {
		flags |= hasIreland
	}
	h = binary.BigEndian.AppendUint32(h, flags)
	h = binary.BigEndian.AppendUint32(h, uint32(count))
	h = binary.BigEndian.AppendUint32(h, sum)
	edition := make([]byte, editionSize)
	copy(edition, strings.ToValidUTF8(o.Edition[:min(len(o.Edition), editionSize)], ""))
	h = append(h, edition...)
	return binary.BigEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
}

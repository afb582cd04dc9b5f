package store

import (
	"fmt"
	"hash/crc32"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// Every key of the store. NN is a slot: 16 of them on Redis, one on bbolt. A
// vacancy's slot is crc32(source/reference), a search's crc32(id), so that
// what belongs to a vacancy, or to a search, changes in one atomic step.
// A name of a vacancy's relatives (vacancy.KinNames) lies in its own slot,
// crc32(name), and so does a suppressed address: crc32 of its hash. There lies
// all of a person who subscribed, too: the ids of the person, of wishes and of
// searches are made so that their crc32 leads to the same slot.
//
//	key                   kind   holds                                     lifetime
//	{vw:meta}:store       hash   schema, slots, silent once that is whole  for good
//	{vw:meta}:sources     hash   source → crawler.State                    for good
//	{vw:meta}:runs:SRC    zset   crawler.Report by time                    30 days
//	{vw:meta}:budget      hash   source → day, requests taken, by class    overwritten daily
//	{vw:meta}:lease       hash   crawl → holder and expiry                 30 s
//	{vw:meta}:endpoints   hash   channel → alerts.Health                   for good
//	{vw:meta}:keys        hash   purpose → signing key; purpose/TIME → one  for good
//	                             that it replaced then
//	{vw:NN}:epoch         hash   source → epoch                            for good
//	{vw:NN}:vac           hash   source/reference → vacancy.Record         live, and 400 days after
//	{vw:NN}:live          zset   source/reference by closing day           until closed
//	{vw:NN}:seen          zset   source/reference by last listing          until closed
//	{vw:NN}:silent        zset   source/reference by posting, of the live  until told or closed
//	                             of which nobody was told
//	{vw:NN}:reread        zset   source/reference by when its page is to   until read, given up or closed
//	                             be read once more
//	{vw:NN}:gone          zset   source/reference by time of closing       400 days
//	{vw:NN}:unread        hash   source/reference → first failure          until read or given up
//	{vw:NN}:evt           hash   event id → vacancy.Event                  400 days
//	{vw:NN}:log           zset   event id by sequence                      400 days
//	{vw:NN}:seq           hash   seq → last sequence given                 for good
//	{vw:NN}:todo          zset   event id by start of its matching         until matched
//	{vw:NN}:told:SRC/REF  hash   told mark → message id                    live, and 30 days after
//	{vw:NN}:msg           hash   message id → alerts.Message               until settled; buried or
//	                                                                       damaged 30 days
//	{vw:NN}:body          hash   message id → rendered bytes               as the message
//	{vw:NN}:due:CHANNEL   zset   message id by due time                    until settled
//	{vw:NN}:lanes         hash   channel → nothing: the due sets there are for good
//	{vw:NN}:due           zset   the same of programs from before there    until this one looks
//	                             was a set for each channel
//	{vw:NN}:buried        zset   message id by time of burial              30 days
//	{vw:NN}:damaged       zset   message id by when it was set aside, for  30 days
//	                             it or what it tells cannot be read
//	{vw:NN}:tomb          zset   message id by time of settling            30 days
//	{vw:NN}:dig:SEARCH|D  zset   event id by time, for a digest            until told
//	{vw:NN}:dignew:SE…|D  hash   event id of those, told as new            until told
//	{vw:NN}:digdue        zset   SEARCH|DEST by the window's end           until told
//	{vw:NN}:digopen       hash   SEARCH|DEST → message id of its digest    until settled
//	{vw:NN}:search        hash   search id → saved search                  until removed
//	{vw:NN}:searchrev     hash   rev → changes to searches so far; floor   for good
//	                             → those no longer listed
//	{vw:NN}:searchlog     zset   search id by the number of its last       the last 10,000 changes
//	                             change
//	{vw:NN}:places        hash   SUBSCRIBER|DEST → day, the single mails   48 h from the start of
//	                             of it                                     the day
//	{vw:NN}:placesend     zset   the same, by the end of its lifetime      as above
//	{vw:NN}:kin           hash   name, hashed → source/references, newest  490 days after the last
//	{vw:NN}:kinold        zset   name, hashed, by last note                490 days after the last
//	{vw:NN}:supp          hash   address, hashed with a key → days of      90 days after the last
//	                             hard bounces; why, since, until when it   bounce, or the suppression;
//	                             gets no mail                              a complaint for good
//	{vw:NN}:sub           hash   subscriber id → a person who subscribed   pending 7 days, else 28 days
//	                                                                       after the last search
//	{vw:NN}:subend        zset   the same, by the end of its lifetime, but as above
//	                             for those with a search in force
//	{vw:NN}:subask        zset   subscriber id by when to ask whether the  while a search is in force
//	                             searches are wanted, then to end them
//	{vw:NN}:subaddr       hash   address, hashed with a key → subscriber   as the person
//	{vw:NN}:wish          hash   wish id → a search to be confirmed        7 days
//	{vw:NN}:wishend       zset   wish id by the end of its lifetime        7 days
//	{vw:NN}:searchend     zset   search id of a person, by the end of its  28 days after its end
//	                             lifetime
//	{vw:NN}:limit         hash   what is limited, hashed with a key →      24 h at most
//	                             when it was done
//	{vw:NN}:limitend      zset   the same, by the end of its lifetime      as above
//	{vw:NN}:suppend       zset   the same, by the end of its lifetime,     as above
//	                             but for complaints
//
// All of it is written by package store alone, in steps of store/engine.
//
// Pairs of steps on different slots, and what a crash between them means:
//
//   - Begin writes the epoch into every slot, then the source's state. Between:
//     the state is still missing, and the next run begins again.
//   - Kin notes a vacancy under its names, then Accept writes its record.
//     Between: the batch is repeated, and finds the same relatives; a noted
//     vacancy that is not known is no relative.
//   - Accept, then the crawl's Mark. Between: the run is repeated, and finds
//     its vacancies known.
//   - Take counts a request, then it leaves. Between: it is counted and was
//     never sent.
//   - Accept, then Touch of what a page listed besides, or the other way round.
//     Between: what is known counts as not listed yet, and nothing is concluded
//     of it, for the sweep is not whole before its Mark.
//   - Absent notes vacancies that have no time of listing, in a step a slot,
//     and only answers. Between: it is asked again, and notes the rest.
//   - The page of a Reread is read, then Accept or PutOff ends the wish.
//     Between: it is read again.
//   - Silent notes in every slot which vacancies were taken in silence before
//     there was such a list, then that the list is whole. Between: it is made
//     again.
//   - OpenDigests makes the message in the search's slot; the items and their
//     due time stay in the slots of the vacancies until the digest is settled.
//     Between any two: it is repeated, and the message exists already.
//   - Gather sets told marks in the slots of the vacancies, Keep stores the
//     bytes in the search's. Between: the marks are the message's own, and it
//     gathers the same items again.
//   - The giving back of what a digest held, then its drop. Between: the claim
//     lapses, and the digest is dropped by the next one, which gives back
//     what is left.
//   - Place counts a single mail in its reader's slot, Keep stores its bytes in
//     the vacancy's. Between: the place is the message's own, and it gets the
//     same one again. Place, then a drop of the message: the place stays taken,
//     so its reader gets one single mail fewer that day; never one more.
//   - Remind puts reminders into digests, vacancy by vacancy. Between: it is
//     repeated, and finds those that wait or were told.
//   - A digest that is buried before it was rendered marks its items, then is
//     buried. Between: the claim lapses, and it is buried or rendered with them.
//   - Discard frees the marks of a digest, then ends it. Between: it is repeated;
//     should it be replayed instead, it tells what nobody else does.
//   - The change of a pause, then the bringing forward of what waits for its
//     end. Between: it comes at the end that the pause had before.
//   - Erase strikes a person in the person's slot, then takes messages and items
//     out of all slots, then forgets the id. Between: the address is gone from
//     all but the bytes of messages, and Prune does the rest.
//   - A limit counts a sign-up, then it is kept in the address's slot. Between:
//     it is counted and was never kept.
//   - Settle of a digest, then the clearing of its items. Between: the next
//     part of the digest finds them told by another message and forgets them.
//   - Settle of a message, then what its attempt says of the endpoint. Between:
//     the next attempt says it.
//
// Values are JSON. A program reads what an older one of its schema wrote, and
// what it misses is zero: the budget of a day has no classes, a vacancy no time
// of listing. It reads what a newer one wrote too, and ignores the fields that
// it does not know; a value that it writes back, as it does a source's
// crawler.State with every Mark, is without them. So a field may be added
// without a new schema where losing it costs no more than learning it again
// (rates, history, a cursor); what must not be lost raises the schema, and the
// older program then refuses to start.
const metaSlot = "vw:meta"

func metaKey(name string) string { return "{" + metaSlot + "}:" + name }

func slotKey(slot, name string) string { return "{" + slot + "}:" + name }

func (s *Store) slotOf(name string) string {
	return slotName(int(crc32.ChecksumIEEE([]byte(name)) % uint32(s.slots)))
}

func slotName(n int) string { return fmt.Sprintf("vw:%02d", n) }

func (s *Store) vacancySlot(k vacancy.Key) string { return s.slotOf(k.String()) }

// allSlots returns the names of the slots.
func (s *Store) allSlots() []string {
	out := make([]string, s.slots)
	for i := range out {
		out[i] = slotName(i)
	}
	return out
}

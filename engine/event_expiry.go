package engine

// Expiry of events deletes whole days. Keys that lie elsewhere, ids and uses of names, go first, in batches; the last batch of a day deletes
// its ranges and its record, so that an expiry that was interrupted is begun again.

// oldestEventDay is the first day that has events to keep.
func (db *DB) oldestEventDay() eventDay {
	if db.opts.KeepEvents <= 0 {
		return firstDay
	}
	day, _ := dayOf(db.opts.Now().Add(-db.opts.KeepEvents).UnixNano())
	return day
}

// expireEvents deletes the days of which no event is to be kept.
func (db *DB) expireEvents() error {
	oldest := db.oldestEventDay()
	if oldest == firstDay {
		return nil
	}
	db.expiryRuns.Lock()
	defer db.expiryRuns.Unlock()
	var days []eventDay
	err := eachKey(db.p, []byte{keyEventDay}, eventDayKey(oldest), false, func(key, _ []byte) error {
		if len(key) == 1+dayKeyLen {
			days = append(days, parseDay(key[1:]))
		}
		return nil
	})
	if err != nil || len(days) == 0 {
		return err
	}
	db.events.mu.Lock()
	db.events.expired = max(db.events.expired, oldest) // from here on nothing comes to these days
	db.events.mu.Unlock()
	if err := db.expireEventUses(oldest); err != nil {
		return err
	}
	for _, day := range days {
		select {
		case <-db.bg.done:
			return nil
		default:
		}
		if err := db.expireEventDay(day); err != nil {
			return err
		}
	}
	return nil
}

// eventSweep deletes keys, some at a time.
type eventSweep struct {
	db *DB
	wb *writeBatch
}

// sweepBytes bounds a batch of deletions.
const sweepBytes = 256 << 10

func (s *eventSweep) delete(key []byte) error {
	if s.wb == nil {
		s.wb = s.db.p.NewBatch()
	}
	if err := s.wb.Delete(key, nil); err != nil || s.wb.Len() < sweepBytes {
		return err
	}
	return s.commit()
}

func (s *eventSweep) commit() error {
	if s.wb == nil {
		return nil
	}
	wb := s.wb
	s.wb = nil
	return s.db.commitLazily(wb)
}

// expireEventUses deletes what says that days before oldest have types and traits.
func (db *DB) expireEventUses(oldest eventDay) error {
	s := eventSweep{db: db}
	err := eachKey(db.p, []byte{keyEventUse}, []byte{keyEventUse + 1}, false, func(key, _ []byte) error {
		if u, ok := parseEventUse(key); ok && u.day < oldest {
			return s.delete(key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit()
}

// expireEventDay deletes a day.
func (db *DB) expireEventDay(day eventDay) error {
	s := eventSweep{db: db}
	lower, upper := eventRef{day, 0}.key(nil), eventRef{day + 1, 0}.key(nil)
	err := eachKey(db.p, lower, upper, false, func(key, rec []byte) error {
		id, _, err := decodeEventKeys(day, rec)
		if err != nil { // the damage goes with the rest; its id leads nowhere
			db.note(corruptRecord(key, err))
			return nil
		}
		return s.delete(eventIDKey(nil, id))
	})
	if err != nil {
		return err
	}
	if err := s.commit(); err != nil {
		return err
	}
	return db.dropEventDay(day, lower, upper)
}

// dropEventDay deletes what is a day's own.
func (db *DB) dropEventDay(day eventDay, lower, upper []byte) error {
	s := &db.events
	s.mu.Lock()
	defer s.mu.Unlock()
	n := uint32(0)
	if _, err := getRecord(db.p, eventDayKey(day), func(rec []byte) (err error) {
		n, err = decodeLastContext(rec)
		return err
	}); err != nil {
		return err
	}
	wb, ch := db.p.NewBatch(), s.ix.NewChange()
	ch.DropFields(spaceEvents, day.field())
	err := ch.Write(wb, db.p)
	if err == nil {
		err = wb.DeleteRange(lower, upper, nil)
	}
	if err == nil {
		err = wb.DeleteRange(eventTime{day, 0, 0}.key(nil), eventTime{day + 1, 0, 0}.key(nil), nil)
	}
	if err == nil {
		err = wb.Delete(eventDayKey(day), nil)
	}
	if err == nil {
		err = db.commitLazily(wb)
	}
	if err != nil {
		return eventIndexError(err)
	}
	ch.Publish()
	s.count.Add(-int64(n))
	return nil
}

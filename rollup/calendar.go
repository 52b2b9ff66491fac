package rollup

import "time"

// AppendCalendarGroups is AppendGroups for groups of the calendar, in UTC. Letter is
//
//	Y  year
//	H  half year, from January or July
//	Q  quarter
//	M  month
//	W  week, from Sunday
//
// and for any other it reports false and appends nothing. The first week of the epoch starts on 1969-12-28, so that start
// is negative.
func AppendCalendarGroups(starts []int64, offs []int32, ts []int64, letter byte) ([]int64, []int32, bool) {
	if !isCalendar(letter) {
		return starts, offs, false
	}
	var next int64 // seconds: the end of the last group may be later than nanoseconds can say
	for i, t := range ts {
		if i > 0 && t/1e9 < next {
			continue
		}
		first, end := calendarGroup(t, letter)
		next = end.Unix()
		starts = append(starts, first.UnixNano())
		offs = append(offs, int32(i))
	}
	return starts, append(offs, int32(len(ts))), true
}

// CalendarFloor returns the start of the calendar's group that t belongs to, both in nanoseconds; letters as for
// AppendCalendarGroups, with false for others. t may not be negative.
func CalendarFloor(t int64, letter byte) (int64, bool) {
	if !isCalendar(letter) {
		return 0, false
	}
	first, _ := calendarGroup(t, letter)
	return first.UnixNano(), true
}

func isCalendar(letter byte) bool {
	switch letter {
	case 'Y', 'H', 'Q', 'M', 'W':
		return true
	}
	return false
}

// calendarGroup returns start and end of the group that t belongs to.
func calendarGroup(t int64, letter byte) (first, end time.Time) {
	at := time.Unix(0, t).UTC()
	year, month, day := at.Date()
	if letter == 'W' {
		first = time.Date(year, month, day-int(at.Weekday()), 0, 0, 0, 0, time.UTC)
		return first, first.AddDate(0, 0, 7)
	}
	months := time.Month(1)
	switch letter {
	case 'Y':
		months = 12
	case 'H':
		months = 6
	case 'Q':
		months = 3
	}
	month -= (month - 1) % months
	first = time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return first, first.AddDate(0, int(months), 0)
}

package run

import "time"

// neverSoon stands for a time at which nothing waits: long after the driver looks at all queues anyhow.
const neverSoon = time.Hour

// waker wakes a driver when something that waits for time may go on. It belongs to the driver's goroutine.
type waker struct {
	timer *time.Timer
	// due is when the driver is to be woken; zero when nothing waits for time.
	due time.Time
}

func newWaker() *waker { return &waker{timer: time.NewTimer(neverSoon)} }

// set has the timer wake the driver at a time, where something waits for one.
func (w *waker) set(next time.Time, waits bool) {
	wait := neverSoon
	w.due = time.Time{}
	if waits {
		w.due, wait = next, max(0, time.Until(next))
	}
	w.timer.Reset(wait)
}

// missed says whether the driver should have been woken and was not. Then the look at all queues that follows each tick goes on.
func (w *waker) missed(now time.Time) bool {
	if w.due.IsZero() || !now.After(w.due) {
		return false
	}
	select {
	case <-w.timer.C:
		return false // it comes together with the tick
	default:
		return true
	}
}

// Package schedule decides which cell runs next: a state machine over rows and cells, with the lanes of models, the delays of retries,
// the health of endpoints and the error gate. It is pure: it starts no goroutine, reads no clock and does no input or output; its one
// owner reports what has happened and when.
//
// # The loop of its owner
//
// A Core belongs to one goroutine, which runs the tasks elsewhere and goes round this loop:
//
//	core := schedule.New(config)
//	for {
//		core.Ahead(rowsToCome)
//		for core.NeedsRows() && more() { // a slot is free, and no cell is there to fill it
//			core.Add(group, rows)
//		}
//		due := core.Take() // rows that are whole or dropped, row groups to be committed, row groups that are held
//		commit(due.Finished)
//		process(due.Held) // and then core.Released(group) or core.DropGroup(group, cause)
//		for lane := range config.Lanes {
//			for task, found := core.Next(lane, now()); found; task, found = core.Next(lane, now()) {
//				start(task)
//			}
//			// where columns have a hedge, the same with Hedge
//		}
//		if core.InFlight() == 0 && (core.Ending() != nil || core.Open() == 0 && !more()) {
//			break
//		}
//		select {
//		case back := <-results:
//			write(back) // into the records for which core.Wants(back.task, position)
//			cancel(back) // what else runs for the same cell, where back has brought its value
//			core.Returned(back.task, back.failures, now())
//		case <-after(core.NextWake()): // a delay is over: Next may have something
//		}
//	}
//	unfinished := core.TakeUnfinished() // where core.Ending() is not nil
//
// Next is called for every lane until it has nothing more, before NextWake is asked: only then does NextWake lie in the future. With
// nothing in flight and row groups still open, there always is a wake-up to wait for, or a row group is held, or a ceiling is shut. Times
// never go back. Whatever ends the run, by End or by a failure that says so, Next returns nothing from then on; what is in flight is still
// returned.
//
// # The life of a cell
//
//	waiting → queued → running → done
//	   │        ↑  ↑      ├────→ deferred → queued, for the next request
//	   │        │  │      └────→ its row is started again (all cells are waiting), or dropped
//	   │     gathered, while other rows of its batch have not come so far
//	   └→ skipped
package schedule

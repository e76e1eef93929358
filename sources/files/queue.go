package files

// A queue holds the jobs of a walk in the walk's order. A job stays in its
// place while it is done, and gives the place to the jobs that come out of it.
type queue struct {
	head *job
	tail *job
}

// A job is to list a folder, or to ask for the metadata of a batch of its
// names.
type job struct {
	branch     *branch
	batch      *batch // nil: list branch, or cut its next batch
	running    bool
	prev, next *job
}

// insert puts j before where, or at the end if where is nil.
func (q *queue) insert(j, where *job) {
	j.next = where
	if where != nil {
		j.prev = where.prev
		where.prev = j
	} else {
		j.prev = q.tail
		q.tail = j
	}
	if j.prev != nil {
		j.prev.next = j
	} else {
		q.head = j
	}
}

func (q *queue) remove(j *job) {
	if j.prev != nil {
		j.prev.next = j.next
	} else {
		q.head = j.next
	}
	if j.next != nil {
		j.next.prev = j.prev
	} else {
		q.tail = j.prev
	}
	j.prev, j.next = nil, nil
}

// first returns the earliest job that nobody works on. All before it are
// running, so it is found after as many steps as there are workers at most.
func (q *queue) first() *job {
	j := q.head
	for j != nil && j.running {
		j = j.next
	}
	return j
}

"""The two classes that asyncio takes from the interpreter's C, `_asyncio.TaskQueue` and `_asyncio.Task`. Runs on
MicroPython.

Those in C read the real clock. These read the clock that asyncio itself reads, and tasks of one moment run in the
order in which they became ready. The contract is asyncio's: a task's `state` is True while it runs unawaited, a
TaskQueue of those who await it, None when it ended unawaited and False when its end was taken; `data` is what it
waits on, then what it raised.
"""

from time import ticks_diff, ticks_ms


class TaskQueue:
    """Tasks by `ph_key`, the tick at which each may go on."""

    def __init__(self):
        self._tasks = []

    def peek(self):
        """The next task, or None."""
        return self._tasks[0] if self._tasks else None

    def push(self, task, key=None):
        """Put a task in line for tick `key`; without one for now."""
        if key is None:
            key = ticks_ms()
        task.data = None  # it waits for nothing but its turn
        task.ph_key = key
        tasks = self._tasks
        at = len(tasks)
        while at and ticks_diff(tasks[at - 1].ph_key, key) > 0:
            at -= 1
        tasks.insert(at, task)

    def pop(self):
        """Take the next task out."""
        return self._tasks.pop(0)

    def remove(self, task):
        """Take this task out."""
        self._tasks.remove(task)


class Task:
    """A coroutine on its way through the loop whose names are `context`."""

    def __init__(self, coro, context=None):
        self.coro = coro
        self.data = None
        self.state = True
        self.ph_key = 0
        self._loop = context

    def __iter__(self):
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        waiting = self._loop["cur_task"]
        self.state.push(waiting)
        waiting.data = self

    def done(self):
        """Whether it has ended."""
        return not self.state

    def cancel(self):
        """Raise CancelledError inside it, or inside the task that it waits for; False when it has ended."""
        if not self.state:
            return False
        loop = self._loop
        if self is loop["cur_task"]:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):
            task = task.data
        ready = loop["_task_queue"]
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            ready.push(task)
        elif ticks_diff(task.ph_key, ticks_ms()) > 0:
            ready.remove(task)
            ready.push(task)
        task.data = loop["CancelledError"]
        return True

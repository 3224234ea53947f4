"""Exit codes of `cytowatch`, the same for every command."""

DONE = 0
FAILED = 1  # it was tried and did not work
USAGE = 2  # the command line or the configuration is wrong; nothing was tried
NOT_RUNNING = 3  # it needs the agent, and none runs on this state folder
NO_DATA = 4  # the question is fine and there is nothing to answer it with
INTERRUPTED = 130  # Ctrl-C
OUTPUT_CLOSED = 141  # as a shell shows the end by SIGPIPE

MEANINGS = {
    DONE: "done",
    FAILED: "failed; the message says why and what to do",
    USAGE: "wrong command line or configuration; nothing was tried",
    NOT_RUNNING: "the agent is not running",
    NO_DATA: "no data for this question",
    INTERRUPTED: "interrupted by Ctrl-C",
    OUTPUT_CLOSED: "nobody read the rest of the output, as with `| head`",
}

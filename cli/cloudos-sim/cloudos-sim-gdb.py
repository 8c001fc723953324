"""gdb commands for the kernel threads of cloudos-sim: `info fibers`, and `fiber N COMMAND`.

gdb loads this file with the program, because it lies beside it under this name; the folder must be
on gdb's auto-load safe-path (gdb says how). A fiber is a struct hal_context. One that does not run
has its registers on its stack, as switch.S left them: r15 r14 r13 r12 rbx rbp, return address.
"""
import gdb

SAVED = ('r15', 'r14', 'r13', 'r12', 'rbx', 'rbp')
WORD = 8


def read_word(addr):
    return int.from_bytes(gdb.selected_inferior().read_memory(addr, WORD).tobytes(), 'little')


class Fiber:
    def __init__(self, context, cpu, tid):
        self.context = context
        self.cpu = cpu  # that runs it, or None
        self.tid = tid  # of that CPU's thread
        self.name = context['name'].string()
        self.registers = {}
        if cpu is None:
            sp = int(context['sp'])
            for i, name in enumerate(SAVED):
                self.registers[name] = read_word(sp + i * WORD)
            self.registers['rip'] = read_word(sp + len(SAVED) * WORD)
            self.registers['rsp'] = sp + (len(SAVED) + 1) * WORD

    def state(self):
        return 'at rest' if self.cpu is None else f'on CPU {self.cpu}'

    def thread(self):
        """The gdb thread that runs it, or None."""
        for thread in gdb.selected_inferior().threads():
            if thread.ptid[1] == self.tid or thread.ptid[2] == self.tid:
                return thread
        return None

    def pc(self):
        if self.cpu is None:
            return self.registers['rip']
        return with_thread(self.thread(), lambda: int(gdb.selected_frame().pc()))

    def callers(self):
        """Return addresses by frame pointers, innermost first."""
        low = int(self.context['stack'])
        high = low + int(self.context['stack_bytes'])
        frame = self.registers['rbp']
        yield self.registers['rip']
        while low <= frame <= high - 2 * WORD:
            pc = read_word(frame + WORD)
            if pc:
                yield pc
            following = read_word(frame)
            if following <= frame:
                return
            frame = following


def with_thread(thread, action):
    """Runs action() with a gdb thread selected; None if there is no such thread."""
    if thread is None or not thread.is_valid():
        return None
    before = gdb.selected_thread()
    thread.switch()
    try:
        return action()
    finally:
        if before is not None:
            before.switch()


def describe(pc):
    if pc is None:
        return '?'
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    name = block.function.name if block is not None else '?'
    place = gdb.find_pc_line(pc)
    where = f' at {place.symtab.filename}:{place.line}' if place.symtab is not None else ''
    return f'{pc:#x} in {name}{where}'


def fibers():
    host = gdb.lookup_global_symbol('host').value()
    running = {}
    for i in range(int(host['cpu_count'])):
        cpu = host['cpus'][i]
        if int(cpu['context']):
            running[int(cpu['context'])] = (i, int(cpu['tid']))
    found = []
    context = host['contexts']
    while int(context):
        cpu, tid = running.get(int(context), (None, None))
        found.append(Fiber(context.dereference(), cpu, tid))
        context = context['next']
    found.reverse()  # the oldest first
    return found


class InfoFibers(gdb.Command):
    """List the kernel's fibers: number, name, state, where."""

    def __init__(self):
        super().__init__('info fibers', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        listed = fibers()
        if not listed:
            print('No fibers yet: the kernel has not made any.')
        for i, fiber in enumerate(listed):
            print(f'{i:4} {fiber.name:<24} {fiber.state():<10} {describe(fiber.pc())}')


class SelectFiber(gdb.Command):
    """fiber N [COMMAND]: run a gdb command (bt, if none is given) in fiber N of `info fibers`."""

    def __init__(self):
        super().__init__('fiber', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split(None, 1)
        listed = fibers()
        if not words or not words[0].isdigit() or int(words[0]) >= len(listed):
            raise gdb.GdbError(f'fiber N [COMMAND]: N is from 0 to {len(listed) - 1}, '
                               'see `info fibers`')
        fiber = listed[int(words[0])]
        command = words[1] if len(words) > 1 else 'bt'
        if fiber.cpu is not None:
            with_thread(fiber.thread(), lambda: gdb.execute(command, from_tty))
        elif gdb.selected_inferior().pid and not is_core():
            self.run_at_rest(fiber, command, from_tty)
        elif command in ('bt', 'backtrace'):
            for i, pc in enumerate(fiber.callers()):
                print(f'#{i:<3} {describe(pc)}')
        else:
            raise gdb.GdbError('in a core file, only bt works for a fiber that does not run')

    @staticmethod
    def run_at_rest(fiber, command, from_tty):
        """Shows gdb the fiber's registers, runs the command, and puts the thread's own back."""
        gdb.newest_frame().select()
        before = {name: gdb.parse_and_eval(f'${name}') for name in fiber.registers}
        try:
            for name, value in fiber.registers.items():
                gdb.execute(f'set var ${name} = {value}')
            gdb.execute(command, from_tty)
        finally:
            gdb.newest_frame().select()
            for name, value in before.items():
                gdb.execute(f'set var ${name} = {int(value)}')


def is_core():
    connection = gdb.selected_inferior().connection
    return connection is not None and connection.type == 'core'


InfoFibers()
SelectFiber()

"""Reads a C file well enough for the house rules: no comments, no strings, tokens with lines.

It is not a compiler: it sees the text before the preprocessor. What the rules need of it are the
top-level items (functions, variables), their lines, and the nesting of blocks.
"""
import re

BLANK = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n\\]|\\\n|\\[^\n])*', re.M)
TOKEN = re.compile(r'\n|[A-Za-z_]\w*|\d[\w.]*|\.\.\.|[^\s]')
ATTRIBUTES = {'__attribute__', '_Alignas', '__asm__', '__asm', 'asm'}
NOT_CALLS = {'return', 'sizeof', '__typeof__', 'case'}


def _blank(match):
    text = match.group()
    if text[0] == '"':
        return '""' + '\n' * text.count('\n')
    if text[0] == "'":
        return "0"
    return ' ' + '\n' * text.count('\n')


class Item:
    """A top-level declaration: its tokens up to the body, and for a function its body."""

    def __init__(self, head, lines, body, body_lines, end_line):
        self.head, self.lines = head, lines
        self.body, self.body_lines = body, body_lines
        self.end_line = end_line

    @property
    def line(self):
        return self.lines[0]


class Source:
    def __init__(self, text):
        self.text = text
        self.raw_lines = text.split('\n')
        code = BLANK.sub(_blank, text)
        self.directives = []  # (line, text)
        position, line = 0, 1
        for match in DIRECTIVE.finditer(code):
            line += code.count('\n', position, match.start())
            position = match.start()
            self.directives.append((line, match.group().strip()))
        code = DIRECTIVE.sub(lambda m: '\n' * m.group().count('\n'), code)
        self.tokens, self.lines = [], []
        line = 1
        for match in TOKEN.finditer(code):
            if match.group() == '\n':
                line += 1
            else:
                self.tokens.append(match.group())
                self.lines.append(line)
        self.items = list(self._split())

    def _matching(self, i):
        """The index of the bracket that closes the one at i (or the last token)."""
        depth = 0
        tokens = self.tokens
        for k in range(i, len(tokens)):
            if tokens[k] in '([{':
                depth += 1
            elif tokens[k] in ')]}':
                depth -= 1
                if depth == 0:
                    return k
        return len(tokens) - 1

    def _split(self):
        tokens, lines = self.tokens, self.lines
        head, head_lines = [], []
        i = 0
        while i < len(tokens):
            token = tokens[i]
            if token in ATTRIBUTES and i + 1 < len(tokens) and tokens[i + 1] == '(':
                i = self._matching(i + 1) + 1
                continue
            if token == ';':
                if head:
                    yield Item(head, head_lines, None, None, lines[i])
                head, head_lines = [], []
            elif token == '{':
                end = self._matching(i)
                if head and head[-1] == ')' and '=' not in head:
                    yield Item(head, head_lines, tokens[i:end + 1], lines[i:end + 1], lines[end])
                    head, head_lines = [], []
                else:  # struct, enum, or an initialiser: its inside does not matter here
                    head += ['{', '}']
                    head_lines += [lines[i], lines[end]]
                i = end
            elif token == '(':
                end = self._matching(i)
                head += tokens[i:end + 1]
                head_lines += lines[i:end + 1]
                i = end
                if self._is_macro_call(head, i):
                    head, head_lines = [], []
            else:
                head.append(token)
                head_lines.append(lines[i])
            i += 1

    def _is_macro_call(self, head, i):
        """A call of a macro that makes declarations: NAME(...) that nothing belongs to."""
        if head[0] != head[0].upper() or len(head) < 3 or head[1] != '(':
            return False
        following = self.tokens[i + 1] if i + 1 < len(self.tokens) else ';'
        return following not in (';', '{', '=', ',', '[')


def function_name(item):
    """The name of the function that the item defines or declares, or None."""
    head = item.head
    if 'typedef' in head[:1] or '=' in head:
        return None
    for i, token in enumerate(head):
        if token == '(' and i and re.match(r'[A-Za-z_]\w*$', head[i - 1]):
            if i + 1 < len(head) and head[i + 1] == '*' and item.body is None:
                return None  # a pointer to a function
            return head[i - 1]
    return None


def parameter_count(item):
    head = item.head
    start = head.index('(', head.index(function_name(item)))
    depth, count, inside = 0, 0, []
    for token in head[start:]:
        if token == '(':
            depth += 1
        elif token == ')':
            depth -= 1
            if depth == 0:
                break
        elif token == ',' and depth == 1:
            count += 1
        inside.append(token)
    inside = inside[1:]
    return 0 if not inside or inside == ['void'] else count + 1


def is_const(tokens):
    """Whether a declaration (up to its initialiser) makes something that cannot be written."""
    if '=' in tokens:
        tokens = tokens[:tokens.index('=')]
    if '[' in tokens:
        tokens = tokens[:tokens.index('[')]
    if '*' in tokens:
        last = len(tokens) - 1 - tokens[::-1].index('*')
        return 'const' in tokens[last:]
    return 'const' in tokens


def variable_name(tokens):
    """The name that a variable declaration makes, or None if it makes no variable."""
    if not tokens or tokens[0] in ('typedef', 'extern', '_Static_assert', 'enum') and (
            tokens[0] != 'enum' or tokens[-1] == '}'):
        return None
    if '=' in tokens:
        tokens = tokens[:tokens.index('=')]
    if '(' in tokens:
        i = tokens.index('(')
        if i + 1 < len(tokens) and tokens[i + 1] == '*':  # a pointer to a function
            names = [t for t in tokens[i:] if re.match(r'[A-Za-z_]\w*$', t) and t != 'const']
            return names[0] if names else None
        if '_Atomic' not in tokens[:i] and '__typeof__' not in tokens[:i]:
            return None
    if '[' in tokens:
        tokens = tokens[:tokens.index('[')]
    if tokens[-1] == '}' or len(tokens) < 2:
        return None
    if tokens[0] in ('struct', 'union') and len(tokens) == 2:
        return None  # a forward declaration
    return tokens[-1]


def static_locals(item):
    """(line, tokens) of each static variable inside a function."""
    body = item.body
    for i, token in enumerate(body):
        if token == 'static':
            end = i
            while end + 1 < len(body) and body[end] not in (';', '='):
                end += 1
            yield item.body_lines[i], body[i:end]


def deepest_block(item):
    """(depth, line): how many blocks lie in one another inside the function's own."""
    body = item.body
    stack, depth, best, parens = [], 0, (0, item.line), []
    closed = None  # index of the ( that the last ) closed
    for i, token in enumerate(body):
        if token == '(':
            parens.append(i)
        elif token == ')' and parens:
            closed = parens.pop()
        elif token == '{':
            before = body[i - 1] if i else ')'
            if before == ')' and i and closed:
                word = body[closed - 1]
                block = bool(re.match(r'[A-Za-z_]\w*$', word)) and word not in NOT_CALLS
            else:
                block = not parens and before in (')', 'else', 'do', ';', '{', '}', ':')
                block = block and not (before == '{' and stack and not stack[-1])
            block = block or not i
            stack.append(block)
            depth += block
            best = max(best, (depth - 1, item.body_lines[i]), key=lambda pair: pair[0])
        elif token == '}' and stack:
            depth -= stack.pop()
    return best

// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.ptx.text.Lexer.Token;

/** Reads a PTX file: module variables and kernels. A directive that the machine does not know is refused by name. */
public final class Parser {
    /** A kernel as it was written. A label is mapped to the index of the statement that follows it. */
    public record Body(String name, int line, List<Variable> params, Map<String, String> registers,
            Map<String, Variable> variables,
            List<Statement> statements, Map<String, Integer> labels, int[] maxThreads) {}

    private final String file;
    private final List<Token> tokens;
    private int at;
    private final Map<String, Variable> globals = new LinkedHashMap<>();
    private final Map<String, Body> bodies = new LinkedHashMap<>();
    private Body body;
    private final Deque<Map<String, String>> scopes = new ArrayDeque<>();
    private int scopeCount;

    private Parser(String file, String text) {
        this.file = file;
        this.tokens = Lexer.tokens(file, text);
    }

    /** Returns the kernels by name, and adds the variables of the module to {@code globals}. */
    public static Map<String, Body> parse(String file, String text, Map<String, Variable> globals) {
        Parser p = new Parser(file, text);
        p.module();
        globals.putAll(p.globals);
        return p.bodies;
    }

    private Token peek() {
        return tokens.get(at);
    }

    private Token take() {
        return tokens.get(at < tokens.size() - 1 ? at++ : at);
    }

    private boolean accept(String text) {
        if (peek().is(text)) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(String text) {
        Token t = take();
        if (!t.is(text)) {
            throw error(t, "expected '" + text + "', got '" + t.text() + "'");
        }
    }

    private PtxException error(Token t, String what) {
        return new PtxException(file + ":" + t.line() + ": " + what);
    }

    private Token name() {
        Token t = take();
        if (!t.isName()) {
            throw error(t, "expected a name, got '" + t.text() + "'");
        }
        return t;
    }

    private int number() {
        Token t = take();
        try {
            return (int) PtxNumbers.parse(t.text());
        } catch (NumberFormatException e) {
            throw error(t, "expected a number, got '" + t.text() + "'");
        }
    }

    private void module() {
        boolean version = false;
        while (!peek().is("end of file")) {
            Token t = take();
            switch (t.text()) {
                case ".version" -> {
                    take();
                    version = true;
                }
                case ".target" -> {
                    do {
                        name();
                    } while (accept(","));
                }
                case ".address_size" -> {
                    if (number() != 64) {
                        throw error(t, "only .address_size 64 is known");
                    }
                }
                case ".visible", ".weak", ".extern" -> { }
                case ".entry" -> entry();
                case ".shared", ".global", ".const" -> variable(t.text().substring(1), globals);
                case ".file" -> skipLine(t);
                case ".section" -> skipBraces();
                default -> throw error(t, "'" + t.text() + "' is not known to this machine");
            }
        }
        if (!version) {
            throw new PtxException(file + ": no .version directive; is it PTX text?");
        }
    }

    private void skipLine(Token t) {
        while (peek().line() == t.line() && !peek().is("end of file")) {
            at++;
        }
    }

    private void skipBraces() {
        while (!peek().is("{") && !peek().is("end of file")) {
            at++;
        }
        while (!peek().is("end of file") && !take().is("}")) { }
    }

    private void entry() {
        Token name = name();
        List<Variable> params = new ArrayList<>();
        int[] max = null;
        if (accept("(")) {
            while (!accept(")")) {
                expect(".param");
                params.add(declared("param"));
                accept(",");
            }
        }
        while (!peek().is("{")) {
            Token t = take();
            switch (t.text()) {
                case ".maxntid", ".reqntid" -> max = list();
                case ".minnctapersm", ".maxnreg" -> number();
                default -> throw error(t, "'" + t.text() + "' before the body of a kernel is not known to this machine");
            }
        }
        body = new Body(name.text(), name.line(), params, new HashMap<>(), new LinkedHashMap<>(), new ArrayList<>(),
                new HashMap<>(), max);
        if (bodies.put(name.text(), body) != null) {
            throw error(name, "kernel '" + name.text() + "' is defined twice");
        }
        expect("{");
        scopes.clear();
        block();
    }

    private int[] list() {
        List<Integer> n = new ArrayList<>();
        do {
            n.add(number());
        } while (accept(","));
        return n.stream().mapToInt(i -> i).toArray();
    }

    /** Parses statements up to the brace that closes them. */
    private void block() {
        scopes.push(new HashMap<>());
        while (!accept("}")) {
            Token t = peek();
            if (accept("{")) {
                block();
            } else if (t.is(".reg")) {
                registers();
            } else if (t.is(".local") || t.is(".shared")) {
                at++;
                variable(t.text().substring(1), body.variables);
            } else if (t.is(".loc")) {
                skipLine(t);
            } else if (t.is(".pragma")) {
                while (!take().is(";")) { }
            } else if (t.text().startsWith(".") || t.is("end of file")) {
                throw error(t, "'" + t.text() + "' is not known inside of a kernel");
            } else if (tokens.get(at + 1).is(":")) {
                at += 2;
                if (body.labels.put(t.text(), body.statements.size()) != null) {
                    throw error(t, "label '" + t.text() + "' is defined twice");
                }
            } else if (!accept(";")) {
                statement();
            }
        }
        scopes.pop();
    }

    private void registers() {
        take();
        String type = name().text().substring(1);
        do {
            Token name = name();
            if (accept("<")) {
                int n = number();
                expect(">");
                for (int i = 0; i < n; i++) {
                    register(name.text() + i, type);
                }
            } else {
                register(name.text(), type);
            }
        } while (accept(","));
        expect(";");
    }

    private void register(String name, String type) {
        String unique = scopes.size() == 1 ? name : name + "#" + scopeCount++;
        scopes.peek().put(name, unique);
        body.registers.put(unique, type);
    }

    private void variable(String space, Map<String, Variable> into) {
        Variable v = declared(space);
        into.put(v.name(), v);
        expect(";");
    }

    /** Parses a declaration after its space: [.align n] .type name[n] [= {..}]. */
    private Variable declared(String space) {
        int align = 0;
        Token t = take();
        while (t.is(".align") || t.is(".ptr")) {
            if (t.is(".align")) {
                align = number();
            }
            t = take();
        }
        String type = t.text().substring(1);
        int size = PtxNumbers.bytes(type);
        if (!t.text().startsWith(".") || size == 0) {
            throw error(t, "'" + t.text() + "' is not a type of a variable");
        }
        String name = name().text();
        int count = 1;
        if (accept("[")) {
            count = peek().is("]") ? 0 : number();
            expect("]");
        }
        byte[] init = accept("=") ? initial(size, count) : null;
        return new Variable(name, space, type, align == 0 ? size : align, size * count, init);
    }

    private byte[] initial(int size, int count) {
        ByteBuffer b = ByteBuffer.allocate(size * count).order(ByteOrder.LITTLE_ENDIAN);
        boolean braces = accept("{");
        do {
            Operand o = operand();
            if (!(o instanceof Operand.Number n)) {
                throw error(peek(), "expected a number in an initialiser");
            }
            for (int i = 0; i < size; i++) {
                b.put((byte) (n.bits() >>> 8 * i));
            }
        } while (accept(","));
        if (braces) {
            expect("}");
        }
        return b.array();
    }

    private void statement() {
        Token first = peek();
        Operand.Reg guard = null;
        if (accept("@")) {
            boolean not = accept("!");
            Token p = name();
            guard = new Operand.Reg(resolve(p), not);
        }
        Token op = name();
        List<String> parts = new ArrayList<>(List.of(op.text().split("\\.")));
        while (accept(":")) { // for example L2::128B
            expect(":");
            parts.set(parts.size() - 1, parts.getLast() + "::" + take().text());
            while (peek().text().startsWith(".")) {
                parts.addAll(List.of(take().text().substring(1).split("\\.")));
            }
        }
        List<Operand> operands = new ArrayList<>();
        while (!accept(";")) {
            operands.add(operand());
            if (!peek().is(";")) {
                expect(",");
            }
        }
        // one "::" makes the rest of the name part of it, so it is cut again at its dots
        List<String> mods = new ArrayList<>();
        parts.subList(1, parts.size()).forEach(m -> mods.addAll(List.of(m.split("\\."))));
        body.statements.add(new Statement(first.line(), guard, parts.getFirst(), List.copyOf(mods), operands));
    }

    private Operand operand() {
        Token t = take();
        Operand o = switch (t.text()) {
            case "[" -> address();
            case "{" -> {
                List<Operand> parts = new ArrayList<>();
                do {
                    parts.add(operand());
                } while (accept(","));
                expect("}");
                yield new Operand.Vector(parts);
            }
            case "!" -> new Operand.Reg(resolve(name()), true);
            case "-" -> negative(number(take()));
            case "_" -> new Operand.Sink();
            default -> t.isNumber() ? number(t) : value(t);
        };
        return accept("|") ? new Operand.Pair(o, operand()) : o;
    }

    private Operand value(Token t) {
        if (!t.isName()) {
            throw error(t, "unexpected '" + t.text() + "'");
        }
        String name = resolve(t);
        return t.text().startsWith("%") || body != null && body.registers.containsKey(name)
                ? new Operand.Reg(name, false) : new Operand.Symbol(t.text());
    }

    private Operand.Number number(Token t) {
        try {
            return PtxNumbers.operand(t.text());
        } catch (NumberFormatException e) {
            throw error(t, "expected a number, got '" + t.text() + "'");
        }
    }

    private static Operand.Number negative(Operand.Number n) {
        return switch (n.form()) {
            case 'f' -> new Operand.Number(n.bits() ^ 0x80000000L, 'f');
            case 'd' -> new Operand.Number(n.bits() ^ Long.MIN_VALUE, 'd');
            default -> new Operand.Number(-n.bits(), 'i');
        };
    }

    private Operand address() {
        Token t = take();
        Operand base = t.isNumber() ? null : value(t);
        long offset = base == null ? number(t).bits() : 0;
        while (!accept("]")) {
            boolean minus = accept("-");
            if (!minus) {
                expect("+");
                minus = accept("-");
            }
            long n = number(take()).bits();
            offset += minus ? -n : n;
        }
        return new Operand.Address(base, offset);
    }

    /** Returns the unique name of a register that is written in this scope. */
    private String resolve(Token t) {
        for (Map<String, String> scope : scopes) {
            String unique = scope.get(t.text());
            if (unique != null) {
                return unique;
            }
        }
        return t.text();
    }
}

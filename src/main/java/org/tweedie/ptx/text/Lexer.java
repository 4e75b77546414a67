// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.text;

import java.util.ArrayList;
import java.util.List;

/** Cuts PTX text into tokens and drops comments. */
final class Lexer {
    /** A token and its line, counted from 1. A number has no sign: a minus is a token of its own. */
    record Token(String text, int line) {
        boolean is(String s) {
            return text.equals(s);
        }

        boolean isNumber() {
            return Character.isDigit(text.charAt(0));
        }

        boolean isName() {
            char c = text.charAt(0);
            return Character.isLetter(c) || c == '%' || c == '$' || c == '_' || c == '.';
        }
    }

    private final String file;
    private final String text;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;

    private Lexer(String file, String text) {
        this.file = file;
        this.text = text;
    }

    static List<Token> tokens(String file, String text) {
        Lexer l = new Lexer(file, text);
        while (l.at < text.length()) {
            l.next();
        }
        l.tokens.add(new Token("end of file", l.line));
        return l.tokens;
    }

    private void next() {
        char c = text.charAt(at);
        if (c == '\n') {
            line++;
            at++;
        } else if (Character.isWhitespace(c)) {
            at++;
        } else if (text.startsWith("//", at)) {
            at = end(text.indexOf('\n', at));
        } else if (text.startsWith("/*", at)) {
            int close = text.indexOf("*/", at + 2);
            if (close < 0) {
                throw new PtxException(file + ":" + line + ": a comment is not closed");
            }
            line += (int) text.substring(at, close).chars().filter(x -> x == '\n').count();
            at = close + 2;
        } else if (c == '"') {
            int close = text.indexOf('"', at + 1);
            if (close < 0) {
                throw new PtxException(file + ":" + line + ": a string is not closed");
            }
            add(close + 1);
        } else if (inName(c)) {
            int to = at + 1;
            while (to < text.length() && inName(text.charAt(to))) {
                to++;
            }
            add(to);
        } else if ("{}[]();:,@!+-<>=|".indexOf(c) >= 0) {
            add(at + 1);
        } else {
            throw new PtxException(file + ":" + line + ": unexpected character '" + c + "'");
        }
    }

    private static boolean inName(char c) {
        return c < 128 && Character.isLetterOrDigit(c) || c == '%' || c == '$' || c == '_' || c == '.';
    }

    private int end(int index) {
        return index < 0 ? text.length() : index;
    }

    private void add(int to) {
        tokens.add(new Token(text.substring(at, to), line));
        at = to;
    }
}

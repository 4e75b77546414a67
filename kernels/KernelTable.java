// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The table of kernels in README.md: a row per entry point, made of its doc block, its PTX and what ptxas says. */
final class KernelTable {
    private static final double BYTES_PER_SECOND = 3.35e12;
    private static final double FLOPS = 67e12;
    private static final double TENSOR_FLOPS = 989e12;
    private static final String BEGIN = "<!-- kernels: begin; written by kernels/build -->\n";
    private static final String END = "<!-- kernels: end -->\n";
    private static final Pattern ENTRY = Pattern.compile("(?m)^\\.visible \\.entry (\\w+)\\(");
    private static final Pattern KEY = Pattern.compile("(name|bytes|flops|tensor|at):\\s*([^;]*)(;|$)");
    private static final Map<String, Integer> ELEMENT = Map.of("f32", 4, "f16", 2, "bf16", 2, "i32", 4, "i64", 8, "b16", 2, "b32", 4, "b64", 8, "b128", 16);

    private KernelTable() {}

    /** One doc block: what its kernels do, and its keys. */
    private record Doc(String text, Map<String, String> keys) {
        boolean names(String entry) {
            for (String name : keys.get("name").strip().split("\\s+")) {
                for (String plain : Braces.expand(name)) {
                    if (entry.equals(plain) || entry.startsWith(plain + "_") && ELEMENT.containsKey(entry.substring(plain.length() + 1))) {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    /** The rows of one family. */
    static String of(String source, String ptx, Map<String, Ptxas.Use> uses) {
        List<Doc> docs = docs(source);
        StringBuilder rows = new StringBuilder();
        for (Matcher m = ENTRY.matcher(ptx); m.find();) {
            String entry = m.group(1);
            List<Doc> mine = docs.stream().filter(d -> d.names(entry)).toList();
            if (mine.size() != 1) {
                throw new IllegalStateException(entry + ": expected one block of '///' lines whose 'name:' names it, found " + mine.size());
            }
            rows.append(row(entry, mine.getFirst(), uses.get(entry)));
        }
        return rows.toString();
    }

    private static String row(String entry, Doc doc, Ptxas.Use use) {
        for (String key : List.of("bytes", "at")) {
            if (!doc.keys.containsKey(key)) {
                throw new IllegalStateException(entry + ": its block of '///' lines has no '" + key + ":'");
            }
        }
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("e", (double) ELEMENT.getOrDefault(entry.substring(entry.lastIndexOf('_') + 1), 4));
        StringBuilder at = new StringBuilder();
        for (String one : doc.keys.get("at").strip().split("[\\s,]+")) {
            String[] pair = one.split("=", 2);
            if (pair.length != 2) {
                throw new IllegalStateException(entry + ": expected name=value in 'at:', got '" + one + "'");
            }
            values.put(pair[0], Expression.value(pair[1], values));
            at.append(at.isEmpty() ? "" : ", ").append(one);
        }
        double seconds = Math.max(Expression.value(doc.keys.get("bytes"), values) / BYTES_PER_SECOND,
                Expression.value(doc.keys.getOrDefault("flops", "0"), values) / FLOPS + Expression.value(doc.keys.getOrDefault("tensor", "0"), values) / TENSOR_FLOPS);
        String work = doc.keys.containsKey("tensor") ? doc.keys.getOrDefault("flops", "0") + " + tensor " + doc.keys.get("tensor") : doc.keys.getOrDefault("flops", "0");
        String facts = use == null ? "? | ? | ?" : use.registers() + " | " + use.shared() + " | " + use.spills();
        return String.format(Locale.ROOT, "| `%s` | %s | %s | %s | %s | %s | %.3g |%n", entry, doc.text.replace("|", "\\|"), facts, doc.keys.get("bytes"), work, at, seconds * 1e6);
    }

    private static List<Doc> docs(String source) {
        List<Doc> docs = new ArrayList<>();
        List<String> block = new ArrayList<>();
        for (String line : (source + "\n").split("\n", -1)) {
            if (line.startsWith("///")) {
                block.add(line.substring(3).strip());
            } else if (!block.isEmpty()) {
                Map<String, String> keys = new LinkedHashMap<>();
                StringBuilder text = new StringBuilder();
                for (String one : block) {
                    boolean any = false;
                    for (Matcher m = KEY.matcher(one); m.find() && (any || m.start() == 0);) {
                        any = true;
                        keys.merge(m.group(1), m.group(2).strip(), (a, b) -> a + " " + b);
                    }
                    if (!any && text.isEmpty()) {
                        text.append(one);
                    }
                }
                if (keys.containsKey("name")) {
                    docs.add(new Doc(text.toString(), keys));
                }
                block.clear();
            }
        }
        return docs;
    }

    /** README.md with the given families' rows in place of their old ones; the rows of a family that is gone go too. */
    static String replace(String readme, Map<String, String> tables, List<String> families, String ptxas) {
        int begin = readme.indexOf(BEGIN), end = readme.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IllegalStateException("README.md: expected the lines '" + BEGIN.strip() + "' and '" + END.strip() + "'");
        }
        String old = readme.substring(begin + BEGIN.length(), end);
        StringBuilder out = new StringBuilder("Registers of a thread, static shared memory of a block and spilled bytes are from ptxas ").append(ptxas).append(" for sm_80.\n");
        for (String family : families) {
            String rows = tables.get(family);
            if (rows == null) {
                Matcher m = Pattern.compile("(?s)\n### " + family + "\n(.*?)(?=\n### |$)").matcher(old);
                rows = m.find() ? m.group(1).lines().filter(l -> l.startsWith("| `")).map(l -> l + "\n").reduce("", String::concat) : "";
            }
            out.append("\n### ").append(family).append("\n| entry | what it does | registers | shared | spills | bytes | FLOPs | at | H100, microseconds |\n|---|---|---|---|---|---|---|---|---|\n")
                    .append(rows);
        }
        return readme.substring(0, begin + BEGIN.length()) + out + readme.substring(end);
    }

    /** Shell-like choices: a_{b,c} stands for a_b and a_c. */
    private static final class Braces {
        static List<String> expand(String name) {
            int close = name.indexOf('}'), open = name.lastIndexOf('{', Math.max(close, 0));
            if (close < 0 || open < 0) {
                return List.of(name);
            }
            List<String> all = new ArrayList<>();
            for (String choice : name.substring(open + 1, close).split(",", -1)) {
                all.addAll(expand(name.substring(0, open) + choice + name.substring(close + 1)));
            }
            return all;
        }
    }

    /** Sums and products of numbers and names; a space between two factors multiplies. */
    private static final class Expression {
        private static final Pattern TOKEN = Pattern.compile("\\s*(\\d[\\d.]*(?:e\\d+)?|[A-Za-z]\\w*|[-+*/()])");
        private final List<String> tokens = new ArrayList<>();
        private final Map<String, Double> names;
        private final String text;
        private int at;

        private Expression(String text, Map<String, Double> names) {
            this.text = text;
            this.names = names;
            Matcher m = TOKEN.matcher(text);
            int end = 0;
            while (m.lookingAt()) {
                tokens.add(m.group(1));
                end = m.end();
                m.region(end, text.length());
            }
            if (!text.substring(end).isBlank()) {
                throw error();
            }
        }

        static double value(String text, Map<String, Double> names) {
            Expression e = new Expression(text, names);
            double v = e.sum();
            if (e.at < e.tokens.size()) {
                throw e.error();
            }
            return v;
        }

        private IllegalStateException error() {
            return new IllegalStateException("'" + text + "': expected sums and products of numbers and of the names " + names.keySet());
        }

        private boolean next(String one) {
            if (at < tokens.size() && tokens.get(at).equals(one)) {
                at++;
                return true;
            }
            return false;
        }

        private double sum() {
            double v = next("-") ? -product() : product();
            while (at < tokens.size() && "+-".contains(tokens.get(at))) {
                v = next("+") ? v + product() : next("-") ? v - product() : v;
            }
            return v;
        }

        private double product() {
            double v = factor();
            while (at < tokens.size() && !"+-)".contains(tokens.get(at))) {
                v = next("/") ? v / factor() : next("*") ? v * factor() : v * factor();
            }
            return v;
        }

        private double factor() {
            if (next("(")) {
                double v = sum();
                if (!next(")")) {
                    throw error();
                }
                return v;
            }
            String token = at < tokens.size() ? tokens.get(at++) : "";
            if (token.isEmpty() || !Character.isLetterOrDigit(token.charAt(0)) || Character.isLetter(token.charAt(0)) && !names.containsKey(token)) {
                throw error();
            }
            return Character.isDigit(token.charAt(0)) ? Double.parseDouble(token) : names.get(token);
        }
    }
}

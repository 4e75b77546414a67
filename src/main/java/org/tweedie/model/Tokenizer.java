// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tweedie.weights.Json;

/**
 * CLIP's byte-level BPE, as transformers' CLIPTokenizer segments text: Unicode NFC, white space to single blanks, lower case
 * by character; then a split into words, single digits and runs of other characters; then the merges of lowest rank inside
 * each piece. It is read from the {@code tokenizer/} folder of a checkpoint: vocab.json, merges.txt, tokenizer_config.json,
 * special_tokens_map.json.
 */
public final class Tokenizer {
    private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern PIECE = Pattern.compile("'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}]+",
            Pattern.UNICODE_CHARACTER_CLASS);
    private static final int LONGEST = 1 << 16;     // an upper bound that catches damaged files: CLIP has 77
    private static final String[] BYTE_SYMBOLS = byteSymbols();

    /** The token that a pair of neighbours is merged to, and the merge's rank. */
    private record Merge(int rank, int id) {
    }

    private final Map<String, Integer> vocabulary = new HashMap<>();
    private final Map<Long, Merge> merges = new HashMap<>();
    private final Pattern special;
    private final int begin;
    private final int end;
    private final int unknown;
    private final int pad;
    private final int length;

    private Tokenizer(Path folder) throws IOException {
        Json vocab = Json.read(folder.resolve("vocab.json"), "tokenizer/vocab.json");
        for (String token : vocab.object().keySet()) {
            int id = vocab.integer(token);
            if (id < 0 || id >= vocab.object().size()) {
                throw vocab.bad(token, "expected an id from 0 to " + (vocab.object().size() - 1) + ", got " + id
                        + "; download the file again");
            }
            vocabulary.put(token, id);
        }
        readMerges(folder.resolve("merges.txt"));
        Json config = Json.read(folder.resolve("tokenizer_config.json"), "tokenizer/tokenizer_config.json");
        Path map = folder.resolve("special_tokens_map.json");
        Json first = Files.exists(map) ? Json.read(map, "tokenizer/special_tokens_map.json") : config;
        List<String> names = new ArrayList<>();
        for (String key : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
            names.add(special(key, first, config));
        }
        begin = id(names.get(0), "bos_token");
        end = id(names.get(1), "eos_token");
        unknown = id(names.get(2), "unk_token");
        pad = id(names.get(3), "pad_token");
        special = Pattern.compile(String.join("|", names.stream().distinct().map(Pattern::quote).toList()));
        length = config.integer("model_max_length", 77);
        if (length < 2 || length > LONGEST) {
            throw config.bad("model_max_length", "expected 2 to " + LONGEST + ", got " + length + "; correct the file");
        }
    }

    /**
     * Reads a tokenizer.
     *
     * @param folder the {@code tokenizer} folder
     * @throws IOException naming the file that is missing or damaged
     */
    public static Tokenizer open(Path folder) throws IOException {
        return new Tokenizer(folder);
    }

    /** The number of ids that {@link #ids} returns: 77 for Stable Diffusion. */
    public int length() {
        return length;
    }

    /** Returns the ids of a text, [length]: begin, the text cut to fit, end, padding. */
    public long[] ids(String text) {
        List<Integer> all = encode(text);
        long[] ids = new long[length];
        Arrays.fill(ids, pad);
        int n = Math.min(all.size(), length - 2);
        ids[0] = begin;
        for (int i = 0; i < n; i++) {
            ids[i + 1] = all.get(i);
        }
        ids[n + 1] = end;
        return ids;
    }

    /**
     * The number of ids of the whole text with begin and end; above {@link #length}, {@link #ids} cuts the end of the text.
     */
    public int count(String text) {
        return encode(text).size() + 2;
    }

    private List<Integer> encode(String text) {
        if (text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw new IllegalArgumentException("prompt: expected Unicode text, got half of a surrogate pair; type it again");
        }
        String clean = SPACE.matcher(Normalizer.normalize(text, Normalizer.Form.NFC)).replaceAll(" ");
        // one character at a time, so that a capital sigma at a word's end becomes the same letter as elsewhere
        String lower = clean.codePoints().mapToObj(c -> Character.toString(c).toLowerCase(Locale.ROOT))
                .collect(Collectors.joining());
        List<Integer> ids = new ArrayList<>();
        Matcher m = special.matcher(lower);
        int at = 0;
        while (m.find()) {
            pieces(lower.substring(at, m.start()), ids);
            ids.add(vocabulary.get(m.group()));
            at = m.end();
        }
        pieces(lower.substring(at), ids);
        return ids;
    }

    private void pieces(String text, List<Integer> ids) {
        for (Matcher m = PIECE.matcher(text); m.find();) {
            bpe(m.group().getBytes(StandardCharsets.UTF_8), ids);
        }
    }

    /** Merges the neighbours of lowest rank, the leftmost first, until none is left. */
    private void bpe(byte[] word, List<Integer> ids) {
        List<Integer> parts = new ArrayList<>();
        for (int i = 0; i < word.length; i++) {
            String symbol = BYTE_SYMBOLS[word[i] & 0xFF] + (i == word.length - 1 ? "</w>" : "");
            parts.add(vocabulary.getOrDefault(symbol, unknown));
        }
        while (true) {
            int where = -1;
            Merge best = null;
            for (int i = 0; i + 1 < parts.size(); i++) {
                Merge m = merges.get(pair(parts.get(i), parts.get(i + 1)));
                if (m != null && (best == null || m.rank < best.rank)) {
                    best = m;
                    where = i;
                }
            }
            if (best == null) {
                break;
            }
            parts.set(where, best.id);
            parts.remove(where + 1);
        }
        ids.addAll(parts);
    }

    private void readMerges(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException("tokenizer/merges.txt: no such file (looked for " + file + "); the download may be incomplete");
        }
        String[] lines = new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\r?\n");
        for (int i = 0; i < lines.length; i++) {
            if (lines[i].isEmpty() || i == 0 && lines[i].startsWith("#version")) {
                continue;
            }
            String[] pair = lines[i].split(" ", -1);
            Integer left = vocabulary.get(pair[0]);
            Integer right = pair.length == 2 ? vocabulary.get(pair[1]) : null;
            Integer both = pair.length == 2 ? vocabulary.get(pair[0] + pair[1]) : null;
            if (left == null || right == null || both == null) {
                throw new IOException("tokenizer/merges.txt: line " + (i + 1) + ": expected two tokens whose join is in "
                        + "vocab.json, got '"
                        + lines[i] + "'; the two files do not belong together, download them again");
            }
            merges.putIfAbsent(pair(left, right), new Merge(i, both));
        }
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    /** Reads a special token, which is stored as a text or as an object with its text in {@code content}. */
    private static String special(String key, Json first, Json second) {
        for (Json json : List.of(first, second)) {
            if (json.has(key)) {
                return json.object().get(key) instanceof JsonObject token
                        ? new Json(json.where() + ": " + key, token).text("content") : json.text(key);
            }
        }
        return key.equals("bos_token") ? "<|startoftext|>" : "<|endoftext|>";
    }

    private int id(String token, String key) {
        Integer id = vocabulary.get(token);
        if (id == null) {
            throw new IllegalArgumentException("tokenizer: " + key + " '" + token
                    + "' is not in vocab.json; the files do not belong together, download them again");
        }
        return id;
    }

    /**
     * Returns a printable character for each byte: the byte's own character if it is printable, else the characters from
     * U+0100 on, in order.
     */
    private static String[] byteSymbols() {
        String[] symbols = new String[256];
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b > 32 && b < 127 || b > 160 && b != 173;
            symbols[b] = Character.toString(printable ? b : next++);
        }
        return symbols;
    }
}

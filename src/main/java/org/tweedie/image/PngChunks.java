// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;

/**
 * The container of a PNG file (a signature, then chunks of length, type, data and checksum), and the text that Tweedie stores in
 * one of its chunks.
 */
final class PngChunks {
    /** The keyword of our text chunk. */
    static final String KEY = "tweedie";

    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

    record Chunk(String type, byte[] data) {}

    private PngChunks() {}

    static boolean isPng(byte[] file) {
        return file.length >= 8 && Arrays.equals(file, 0, 8, SIGNATURE, 0, 8);
    }

    /**
     * Reads the chunks of a file.
     *
     * @param name the file's name, for messages
     * @throws IllegalArgumentException when the file ends early or a checksum is wrong
     */
    static List<Chunk> read(String name, byte[] file) {
        List<Chunk> chunks = new ArrayList<>();
        ByteBuffer b = ByteBuffer.wrap(file, 8, file.length - 8);
        while (chunks.isEmpty() || !chunks.getLast().type.equals("IEND")) {
            if (b.remaining() < 12 || b.getInt(b.position()) < 0 || b.getInt(b.position()) > b.remaining() - 12) {
                throw new IllegalArgumentException(name + ": the PNG file ends early; copy or download it again");
            }
            byte[] data = new byte[b.getInt()];
            byte[] type = new byte[4];
            b.get(type).get(data);
            if (crc(type, data) != b.getInt()) {
                throw new IllegalArgumentException(name + ": is a damaged PNG file (the checksum of chunk "
                        + new String(type, StandardCharsets.ISO_8859_1) + " is wrong); copy or download it again");
            }
            chunks.add(new Chunk(new String(type, StandardCharsets.ISO_8859_1), data));
        }
        return chunks;
    }

    static byte[] write(List<Chunk> chunks) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(SIGNATURE);
        for (Chunk c : chunks) {
            byte[] type = c.type.getBytes(StandardCharsets.ISO_8859_1);
            out.writeBytes(ByteBuffer.allocate(4).putInt(c.data.length).array());
            out.writeBytes(type);
            out.writeBytes(c.data);
            out.writeBytes(ByteBuffer.allocate(4).putInt(crc(type, c.data)).array());
        }
        return out.toByteArray();
    }

    private static int crc(byte[] type, byte[] data) {
        CRC32 crc = new CRC32();
        crc.update(type);
        crc.update(data);
        return (int) crc.getValue();
    }

    /**
     * Makes an uncompressed iTXt chunk of lines {@code key=value}; line breaks and backslashes in values are escaped by a
     * backslash.
     */
    static Chunk text(Map<String, String> parameters) {
        StringBuilder lines = new StringBuilder();
        parameters.forEach((k, v) -> {
            if (k.isEmpty() || k.contains("=") || k.contains("\n")) {
                throw new IllegalArgumentException("png text: key '" + k + "' must not be empty or hold '=' or line breaks");
            }
            lines.append(k).append('=').append(v.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")).append('\n');
        });
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        data.writeBytes(KEY.getBytes(StandardCharsets.ISO_8859_1));
        // these bytes end the keyword and say: not compressed, method 0, empty language and translated keyword
        data.writeBytes(new byte[5]);
        data.writeBytes(lines.toString().getBytes(StandardCharsets.UTF_8));
        return new Chunk("iTXt", data.toByteArray());
    }

    /** Returns the parameters of our first text chunk, compressed or not; empty when there is none. */
    static Map<String, String> text(String name, List<Chunk> chunks) {
        for (Chunk c : chunks) {
            String text = switch (c.type) {
                case "tEXt" -> latin(c.data, false);
                case "zTXt" -> latin(c.data, true);
                case "iTXt" -> international(c.data);
                default -> null;
            };
            if (text != null) {
                return parse(name, text);
            }
        }
        return Map.of();
    }

    private static Map<String, String> parse(String name, String text) {
        Map<String, String> out = new LinkedHashMap<>();
        for (String line : text.split("\n")) {
            int eq = line.indexOf('=');
            if (eq < 1 && !line.isBlank()) {
                throw new IllegalArgumentException(name + ": text chunk '" + KEY + "': expected lines key=value, got '" + line
                        + "'");
            }
            if (eq >= 1) {
                out.put(line.substring(0, eq), unescape(line.substring(eq + 1)));
            }
        }
        return out;
    }

    private static String unescape(String s) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < s.length(); i++) {
            boolean escaped = s.charAt(i) == '\\' && i + 1 < s.length();
            char c = s.charAt(escaped ? ++i : i);
            out.append(!escaped ? c : c == 'n' ? '\n' : c == 'r' ? '\r' : c);
        }
        return out.toString();
    }

    /** Returns the text of a tEXt (keyword, 0, text) or zTXt (keyword, 0, method, text) chunk if it is ours, else null. */
    private static String latin(byte[] data, boolean compressed) {
        int start = afterKey(data);
        return start < 0 ? null : body(data, start + (compressed ? 1 : 0), compressed, StandardCharsets.ISO_8859_1);
    }

    /**
     * Returns the text of an iTXt chunk (keyword, 0, compressed?, method, language, 0, translated keyword, 0, text) if it is
     * ours, else null.
     */
    private static String international(byte[] data) {
        int start = afterKey(data);
        if (start < 0 || start + 2 > data.length) {
            return null;
        }
        int zeros = 0;
        int i = start + 2;
        while (i < data.length && zeros < 2) {
            zeros += data[i++] == 0 ? 1 : 0;
        }
        return body(data, i, data[start] == 1, StandardCharsets.UTF_8);
    }

    private static int afterKey(byte[] data) {
        byte[] key = (KEY + "\0").getBytes(StandardCharsets.ISO_8859_1);
        return data.length >= key.length && Arrays.equals(data, 0, key.length, key, 0, key.length) ? key.length : -1;
    }

    private static String body(byte[] data, int from, boolean compressed, Charset charset) {
        byte[] raw = Arrays.copyOfRange(data, Math.min(from, data.length), data.length);
        return new String(compressed ? inflate(raw) : raw, charset);
    }

    /** Inflates at most a mebibyte; more than that is no list of parameters. */
    private static byte[] inflate(byte[] data) {
        try (InflaterInputStream in = new InflaterInputStream(new java.io.ByteArrayInputStream(data))) {
            return in.readNBytes(1 << 20);
        } catch (IOException e) {
            throw new IllegalArgumentException("png: the compressed text chunk '" + KEY + "' is damaged", e);
        }
    }

    static byte[] deflate(byte[] data) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(out)) {
            deflater.write(data);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // writing to memory does not fail
        }
        return out.toByteArray();
    }
}

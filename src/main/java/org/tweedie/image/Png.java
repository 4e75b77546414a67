// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes PNG files with their parameters in a text chunk. Codes stand for values by an affine map, rounded half up: code =
 * floor((v - lo) / (hi - lo) * max + 1/2), v = lo + code / max * (hi - lo). A picture has lo = -1, hi = 1, max = 255.
 */
public final class Png {
    private static final int DEEP = 65535;

    private Png() {}

    /**
     * Writes an sRGB picture of 8 bits a channel. Values beyond [-1,1] are clipped, because a picture cannot hold them.
     *
     * @param text parameters that are stored in the file, in order
     * @throws IllegalStateException when a value is not a number
     * @throws IllegalArgumentException when the file cannot be written there, as {@link AtomicFile#check}
     */
    public static void write(Path file, Image image, Map<String, String> text) throws IOException {
        AtomicFile.write(file, encode(file, image, -1, 1, 255, text));
    }

    /**
     * Writes a measurement of 16 bits a channel without clipping. The text chunk also gets {@code lo} and {@code hi}, the least
     * and the greatest value, or -1 and 1 where these are beyond. Reading undoes the map, to half a code.
     */
    public static void writeMeasurement(Path file, Image image, Map<String, String> text) throws IOException {
        float lo = -1;
        float hi = 1;
        for (float v : image.data()) {
            lo = Math.min(lo, v);
            hi = Math.max(hi, v);
        }
        Map<String, String> all = new LinkedHashMap<>(text);
        all.put("lo", Float.toString(lo));
        all.put("hi", Float.toString(hi));
        AtomicFile.write(file, encode(file, image, lo, hi, DEEP, all));
    }

    /**
     * Returns the parameters that a PNG file stores; empty when it has none.
     *
     * @throws IllegalArgumentException when the file is not a sound PNG file
     */
    public static Map<String, String> text(Path file) throws IOException {
        byte[] bytes = ImageFile.bytes(file);
        if (!PngChunks.isPng(bytes)) {
            throw new IllegalArgumentException(file + ": expected a PNG file");
        }
        return PngChunks.text(file.toString(), PngChunks.read(file.toString(), bytes));
    }

    private static byte[] encode(Path file, Image image, float lo, float hi, int max, Map<String, String> text) {
        int depth = max == DEEP ? 16 : 8;
        byte[] header = ByteBuffer.allocate(13).putInt(image.width()).putInt(image.height()).put((byte) depth)
                // the colour type is RGB, and the file is not interlaced
                .put((byte) 2).put((byte) 0).put((byte) 0).put((byte) 0).array();
        byte[] rows = filtered(codes(file, image, lo, hi, max), image.height(), 3 * depth / 8);
        PngChunks.Chunk pixels = new PngChunks.Chunk("IDAT", PngChunks.deflate(rows));
        return PngChunks.write(List.of(new PngChunks.Chunk("IHDR", header), new PngChunks.Chunk("sRGB", new byte[1]),
                PngChunks.text(text), pixels, new PngChunks.Chunk("IEND", new byte[0])));
    }

    /** Returns big-endian codes of one or two bytes each. */
    private static byte[] codes(Path file, Image image, float lo, float hi, int max) {
        float[] v = image.data();
        int bytes = max == DEEP ? 2 : 1;
        byte[] out = new byte[Math.multiplyExact(v.length, bytes)];
        for (int i = 0; i < v.length; i++) {
            if (Float.isNaN(v[i])) {
                throw new IllegalStateException(file + ": was not written: the value at x=" + i / 3 % image.width() + " y="
                        + i / 3 / image.width()
                        + " is not a number; the computation before it failed");
            }
            int code = code(v[i], lo, hi, max);
            if (bytes == 2) {
                out[2 * i] = (byte) (code >> 8);
            }
            out[bytes * i + bytes - 1] = (byte) code;
        }
        return out;
    }

    static int code(float v, double lo, double hi, int max) {
        return (int) Math.max(0, Math.min(max, Math.floor((v - lo) / (hi - lo) * max + 0.5)));
    }

    static float value(int code, double lo, double hi, int max) {
        return (float) (lo + (double) code / max * (hi - lo));
    }

    /**
     * Applies Paeth's filter to each row: it subtracts from a byte the one of its left, upper and upper-left neighbours that is
     * nearest to left + up - upper left.
     */
    private static byte[] filtered(byte[] rows, int height, int pixel) {
        int n = rows.length / height;
        byte[] out = new byte[rows.length + height];
        for (int y = 0; y < height; y++) {
            out[y * (n + 1)] = 4;
            for (int x = 0; x < n; x++) {
                int at = y * n + x;
                int a = x < pixel ? 0 : rows[at - pixel] & 0xFF;
                int b = y == 0 ? 0 : rows[at - n] & 0xFF;
                int c = x < pixel || y == 0 ? 0 : rows[at - n - pixel] & 0xFF;
                int da = Math.abs(b - c);
                int db = Math.abs(a - c);
                int dc = Math.abs(a + b - 2 * c);
                int guess = da <= db && da <= dc ? a : db <= dc ? b : c;
                out[y * (n + 1) + 1 + x] = (byte) (rows[at] - guess);
            }
        }
        return out;
    }
}

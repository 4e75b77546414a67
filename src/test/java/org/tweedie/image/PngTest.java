// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.program.Philox;

class PngTest {
    @TempDir
    Path dir;

    static Image noise(int w, int h, double scale) {
        float[] d = new float[w * h * 3];
        new Philox(1, Philox.Stream.NOISE).normals(0, d);
        for (int i = 0; i < d.length; i++) {
            d[i] *= (float) scale;
        }
        return new Image(w, h, d);
    }

    @Test
    void everyCodeComesBack() {
        for (int max : new int[] {255, 65535}) {
            for (int code = 0; code <= max; code++) {
                assertEquals(code, Png.code(Png.value(code, -1, 1, max), -1, 1, max));
            }
        }
    }

    /** The value 0 is between the codes 127 and 128; half rounds up. */
    @Test
    void roundsHalfUpAndClips() {
        assertEquals(128, Png.code(0, -1, 1, 255));
        assertEquals(127, Png.code(-0.001f, -1, 1, 255));
        assertEquals(0, Png.code(-3, -1, 1, 255));
        assertEquals(255, Png.code(Float.POSITIVE_INFINITY, -1, 1, 255));
    }

    @Test
    void aPictureComesBackToHalfACode() throws IOException {
        Image a = noise(37, 23, 0.3);
        Path file = dir.resolve("a.png");
        Png.write(file, a, Map.of());
        Image b = ImageFile.read(file).image();
        assertEquals(37, b.width());
        for (int i = 0; i < a.data().length; i++) {
            assertEquals(Math.max(-1, Math.min(1, a.data()[i])), b.data()[i], 1.0001 / 255);
        }
        Png.write(dir.resolve("b.png"), b, Map.of());
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(dir.resolve("b.png")), "a second round changes nothing");
        assertEquals((int) Math.floor((b.get(3, 5, 0) + 1) / 2 * 255 + 0.5), ImageIO.read(file.toFile()).getRaster()
                .getSample(3, 5, 0));
    }

    @Test
    void aMeasurementIsNotClipped() throws IOException {
        Image a = noise(16, 9, 2);
        Path file = dir.resolve("y.png");
        Png.writeMeasurement(file, a, Map.of("task", "sr:8"));
        ImageFile.Picture p = ImageFile.read(file);
        assertEquals("sr:8", p.text().get("task"));
        double lo = Double.parseDouble(p.text().get("lo"));
        double hi = Double.parseDouble(p.text().get("hi"));
        assertTrue(lo < -3 && hi > 3, "the noise reaches far out");
        for (int i = 0; i < a.data().length; i++) {
            assertEquals(a.data()[i], p.image().data()[i], 0.5001 / 65535 * (hi - lo));
        }
    }

    @Test
    void parametersComeBackInOrder() throws IOException {
        Map<String, String> text = new LinkedHashMap<>();
        text.put("prompt", "a café = \\no\nsecond line\\");
        text.put("seed", "-7");
        text.put("empty", "");
        Path file = dir.resolve("a.png");
        Png.write(file, noise(2, 2, 1), text);
        assertEquals(text, Png.text(file));
        assertEquals(List.of("prompt", "seed", "empty"), List.copyOf(Png.text(file).keySet()));
        assertThrows(IllegalArgumentException.class, () -> Png.write(file, noise(2, 2, 1), Map.of("a=b", "c")));
    }

    /** Other tools save our chunk again as plain or compressed Latin-1. */
    @Test
    void readsEachKindOfTextChunk() {
        byte[] key = "tweedie\0".getBytes();
        byte[] lines = "seed=3\n".getBytes();
        byte[] packed = PngChunks.deflate(lines);
        for (PngChunks.Chunk c : List.of(new PngChunks.Chunk("tEXt", cat(key, lines)),
                new PngChunks.Chunk("zTXt", cat(key, new byte[1], packed)),
                new PngChunks.Chunk("iTXt", cat(key, new byte[] {1, 0, 'e', 'n', 0, 0}, packed)))) {
            assertEquals(Map.of("seed", "3"), PngChunks.text("a", List.of(c)));
        }
        assertEquals(Map.of(), PngChunks.text("a", List.of(new PngChunks.Chunk("tEXt", "Software\0x".getBytes()))));
    }

    private static byte[] cat(byte[]... parts) {
        byte[] out = new byte[0];
        for (byte[] p : parts) {
            int n = out.length;
            out = Arrays.copyOf(out, n + p.length);
            System.arraycopy(p, 0, out, n, p.length);
        }
        return out;
    }

    @Test
    void saysWhyItCannotWriteAndLeavesNothing() throws IOException {
        Image a = noise(2, 2, 1);
        Path gone = dir.resolve("gone").resolve("a.png");
        var e = assertThrows(IllegalArgumentException.class, () -> Png.write(gone, a, Map.of()));
        assertEquals(gone + ": folder " + gone.getParent() + " does not exist; create it or write elsewhere", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> Png.write(dir, a, Map.of()));
        assertTrue(e.getMessage().contains("got a folder"), e.getMessage());
        Path file = Files.writeString(dir.resolve("file"), "x");
        e = assertThrows(IllegalArgumentException.class, () -> Png.write(file.resolve("a.png"), a, Map.of()));
        assertTrue(e.getMessage().contains("is a file, not a folder"), e.getMessage());
        Image nan = new Image(1, 2, new float[] {0, 0, 0, 0, Float.NaN, 0});
        Path out = dir.resolve("nan.png");
        var f = assertThrows(IllegalStateException.class, () -> Png.write(out, nan, Map.of()));
        assertTrue(f.getMessage().contains("x=0 y=1 is not a number"), f.getMessage());
        try (var list = Files.list(dir)) {
            assertEquals(List.of(file), list.toList());
        }
    }

    /**
     * A name too long for the file system fails only when the file is written: the line names the file, and no partial file
     * stays.
     */
    @Test
    void aFailureOfTheFileSystemLeavesNothing() throws IOException {
        Path file = dir.resolve("x".repeat(300) + ".png");
        var e = assertThrows(IOException.class, () -> Png.write(file, noise(2, 2, 1), Map.of()));
        assertTrue(e.getMessage().startsWith(file + ": cannot write"), e.getMessage());
        try (var list = Files.list(dir)) {
            assertEquals(0, list.count());
        }
    }
}

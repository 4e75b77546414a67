// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFileTest {
    @TempDir
    Path dir;

    private Path save(BufferedImage b, String format) throws IOException {
        Path file = dir.resolve("a." + format);
        assertTrue(ImageIO.write(b, format, file.toFile()));
        return file;
    }

    private static String refused(Path file) {
        String line = assertThrows(IllegalArgumentException.class, () -> ImageFile.read(file)).getMessage();
        assertTrue(line.startsWith(file + ": "), line);
        assertTrue(!line.contains("\n"), line);
        return line.substring(file.toString().length() + 2);
    }

    @Test
    void greyIsRepeatedAndSaid() throws IOException {
        BufferedImage b = new BufferedImage(4, 3, BufferedImage.TYPE_BYTE_GRAY);
        b.getRaster().setSample(2, 1, 0, 51);
        ImageFile.Picture p = ImageFile.read(save(b, "png"));
        for (int c = 0; c < 3; c++) {
            assertEquals(51 / 255f * 2 - 1, p.image().get(2, 1, c), 1e-6f);
        }
        assertEquals(-1, p.image().get(0, 0, 0));
        assertEquals(List.of(dir.resolve("a.png") + ": is grey; its channel was repeated to red, green and blue"), p.notes());
    }

    @Test
    void sixteenBitsKeepTheirPrecision() throws IOException {
        BufferedImage b = new BufferedImage(3, 2, BufferedImage.TYPE_USHORT_GRAY);
        b.getRaster().setSample(1, 1, 0, 12345);
        assertEquals(12345 / 65535f * 2 - 1, ImageFile.read(save(b, "png")).image().get(1, 1, 2), 1e-6f);
    }

    /** In colour type 4 of 16 bits, each pixel is a grey and an alpha, of two bytes each. */
    @Test
    void greyWithAlphaIsGrey() throws IOException {
        byte[] header = {0, 0, 0, 2, 0, 0, 0, 1, 16, 4, 0, 0, 0};
        byte[] row = {0, 0x12, 0x34, -1, -1, -1, -1, -1, -1};
        Path file = dir.resolve("a.png");
        Files.write(file, PngChunks.write(List.of(new PngChunks.Chunk("IHDR", header),
                new PngChunks.Chunk("IDAT", PngChunks.deflate(row)),
                new PngChunks.Chunk("IEND", new byte[0]))));
        Image a = ImageFile.read(file).image();
        assertEquals(0x1234 / 65535f * 2 - 1, a.get(0, 0, 2), 1e-6f);
        assertEquals(1, a.get(1, 0, 1));
        row[8] = -2;
        Files.write(file, PngChunks.write(List.of(new PngChunks.Chunk("IHDR", header),
                new PngChunks.Chunk("IDAT", PngChunks.deflate(row)),
                new PngChunks.Chunk("IEND", new byte[0]))));
        assertTrue(refused(file).startsWith("the picture is transparent at x=1 y=0"));
    }

    @Test
    void palettesAreLookedUp() throws IOException {
        IndexColorModel palette = new IndexColorModel(2, 4, new byte[] {0, (byte) 255, 0, 0}, new byte[] {0, 0, (byte) 255, 0},
                new byte[] {0, 0, 0, (byte) 255});
        BufferedImage b = new BufferedImage(4, 1, BufferedImage.TYPE_BYTE_BINARY, palette);
        b.getRaster().setPixels(0, 0, 4, 1, new int[] {0, 1, 2, 3});
        ImageFile.Picture p = ImageFile.read(save(b, "png"));
        assertEquals("[-1.0, -1.0, -1.0, 1.0, -1.0, -1.0, -1.0, 1.0, -1.0, -1.0, -1.0, 1.0]", Arrays.toString(p.image().data()));
        assertEquals(List.of(), p.notes());
    }

    @Test
    void alphaMustBeOpaque() throws IOException {
        BufferedImage b = new BufferedImage(4, 4, BufferedImage.TYPE_INT_ARGB);
        for (int i = 0; i < 16; i++) {
            b.setRGB(i % 4, i / 4, 0xFF102030);
        }
        assertEquals(0x20 / 255f * 2 - 1, ImageFile.read(save(b, "png")).image().get(3, 3, 1), 1e-6f);
        b.setRGB(1, 2, 0x80102030);
        assertEquals("the picture is transparent at x=1 y=2; flatten it onto a background, or save it without alpha",
                refused(save(b, "png")));
    }

    @Test
    void readsJpeg() throws IOException {
        BufferedImage b = new BufferedImage(16, 8, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 128; i++) {
            b.setRGB(i % 16, i / 16, 0x204080);
        }
        ImageFile.Picture p = ImageFile.read(save(b, "jpg"));
        assertEquals(0x20 / 255f * 2 - 1, p.image().get(5, 5, 0), 0.03);
        assertEquals(0x80 / 255f * 2 - 1, p.image().get(5, 5, 2), 0.03);
        assertEquals(List.of(), p.notes());
        BufferedImage grey = new BufferedImage(16, 8, BufferedImage.TYPE_BYTE_GRAY);
        assertEquals(1, ImageFile.read(save(grey, "jpg")).notes().size());
    }

    /**
     * The picture of 16x8 has a black left half and a white right half. It is turned in each of Exif's ways, and the test checks
     * where the white is then.
     */
    @Test
    void exifOrientationIsApplied() throws IOException {
        BufferedImage b = new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 8; y++) { // the top right quarter is white
            for (int x = 16; x < 32; x++) {
                b.setRGB(x, y, 0xFFFFFF);
            }
        }
        byte[] jpeg = Files.readAllBytes(save(b, "jpg"));
        String[] white = {"", "top right", "top left", "bottom left", "bottom right", "bottom left", "bottom right", "top right",
                "top left"};
        for (int o = 1; o <= 8; o++) {
            for (boolean little : new boolean[] {true, false}) {
                Path file = Files.write(dir.resolve("o.jpg"), withExif(jpeg, o, little));
                ImageFile.Picture p = ImageFile.read(file);
                Image a = p.image();
                assertEquals(o < 5 ? 32 : 16, a.width());
                for (String corner : List.of("top right", "top left", "bottom left", "bottom right")) {
                    int x = corner.endsWith("right") ? a.width() - 2 : 1;
                    int y = corner.startsWith("bottom") ? a.height() - 2 : 1;
                    assertEquals(corner.equals(white[o]) ? 1 : -1, a.get(x, y, 0), 0.1, "orientation " + o + " " + corner);
                }
                assertEquals(o == 1 ? 0 : 1, p.notes().size());
            }
        }
    }

    private static byte[] withExif(byte[] jpeg, int orientation, boolean little) {
        byte[] exif = {(byte) 0xFF, (byte) 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
            0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte) orientation, 0, 0, 0, 0, 0, 0};
        if (little) {
            byte[] tiff = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte) orientation, 0};
            System.arraycopy(tiff, 0, exif, 10, tiff.length);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(jpeg, 0, 2);
        out.writeBytes(exif);
        out.write(jpeg, 2, jpeg.length - 2);
        return out.toByteArray();
    }

    @Test
    void saysWhatIsWrongWithAFile() throws IOException {
        assertEquals("no such file", refused(dir.resolve("none.png")));
        assertEquals("expected a picture, got a folder; name one file in it", refused(dir));
        assertEquals("expected a PNG or JPEG picture, got something else; convert it to PNG",
                refused(Files.writeString(dir.resolve("a.txt"), "hello")));
        assertEquals("expected a PNG or JPEG picture, got an empty file; convert it to PNG",
                refused(Files.writeString(dir.resolve("e.png"), "")));
        BufferedImage b = new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB);
        assertEquals("expected a PNG or JPEG picture, got a GIF; convert it to PNG", refused(save(b, "gif")));
        assertEquals("expected a PNG or JPEG picture, got a BMP picture; convert it to PNG", refused(save(b, "bmp")));
    }

    @Test
    void cmykIsRefused() throws IOException {
        BufferedImage b = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
        byte[] jpeg = Files.readAllBytes(save(b, "jpg"));
        for (int i = 0; i + 9 < jpeg.length; i++) {
            if ((jpeg[i] & 0xFF) == 0xFF && (jpeg[i + 1] & 0xFF) == 0xC0) {
                jpeg[i + 9] = 4;
            }
        }
        assertEquals("this is a CMYK JPEG (four channels, for print); convert it to RGB",
                refused(Files.write(dir.resolve("cmyk.jpg"), jpeg)));
    }

    @Test
    void damagedFilesAreRefused() throws IOException {
        Path file = dir.resolve("a.png");
        Png.write(file, PngTest.noise(20, 20, 0.5), Map.of("seed", "1"));
        byte[] whole = Files.readAllBytes(file);
        for (int n : new int[] {8, 20, 60, whole.length / 2, whole.length - 1}) {
            assertEquals("the PNG file ends early; copy or download it again",
                    refused(Files.write(dir.resolve("cut.png"), Arrays.copyOf(whole, n))), "cut at " + n);
        }
        byte[] bad = whole.clone();
        bad[whole.length / 2] ^= 1;
        assertEquals("is a damaged PNG file (the checksum of chunk IDAT is wrong); copy or download it again",
                refused(Files.write(dir.resolve("bad.png"), bad)));
        List<PngChunks.Chunk> chunks = PngChunks.read("a", whole);
        List<PngChunks.Chunk> noPixels = chunks.stream().filter(c -> !c.type().equals("IDAT")).toList();
        assertTrue(refused(Files.write(dir.resolve("empty.png"), PngChunks.write(noPixels)))
                .startsWith("is a damaged or unsupported PNG file"));
        Path jpeg = Files.write(dir.resolve("cut.jpg"), new byte[] {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF, (byte) 0xE0, 0, 2});
        assertTrue(refused(jpeg).startsWith("is a damaged or unsupported JPEG file"));
    }

    @Test
    void aHugePictureIsRefusedBeforeItIsRead() throws IOException {
        Path file = dir.resolve("a.png");
        Png.write(file, PngTest.noise(2, 2, 0.5), Map.of());
        List<PngChunks.Chunk> chunks = new java.util.ArrayList<>(PngChunks.read("a", Files.readAllBytes(file)));
        byte[] header = chunks.getFirst().data();
        header[1] = header[5] = 1; // the size is 65538 x 65538
        Files.write(file, PngChunks.write(chunks));
        assertEquals("65538x65538 is beyond the 134217728 pixels that can be read; scale it down", refused(file));
    }

    /** A truncated JPEG is grey from some row on; it is read, but with a note. */
    @Test
    void aTruncatedJpegIsSaid() throws IOException {
        BufferedImage b = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 4096; i++) {
            b.setRGB(i % 64, i / 64, i * 7919);
        }
        byte[] jpeg = Files.readAllBytes(save(b, "jpg"));
        Path cut = Files.write(dir.resolve("cut.jpg"), Arrays.copyOf(jpeg, jpeg.length * 2 / 3));
        List<String> notes = ImageFile.read(cut).notes();
        assertTrue(!notes.isEmpty() && notes.getFirst().contains("the decoder warns"), notes.toString());
    }
}

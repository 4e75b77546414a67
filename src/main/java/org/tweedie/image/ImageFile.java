// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Reads pictures: PNG (grey, palette or colour, up to 16 bits a channel) and JPEG (grey or colour). */
public final class ImageFile {
    private static final long MOST_PIXELS = 1L << 27;

    static {
        if (System.getProperty("java.awt.headless") == null) {
            System.setProperty("java.awt.headless", "true"); // decoding needs no display and must not look for one
        }
    }

    /**
     * A picture as it was read.
     *
     * @param notes a line for each change beyond mapping codes to [-1,1]
     * @param text the parameters that {@link Png} stored in the file; empty when it has none
     */
    public record Picture(Image image, List<String> notes, Map<String, String> text) {}

    private ImageFile() {}

    /**
     * Reads a picture. Codes become values in [-1,1], or in [lo,hi] where a measurement says so. Grey is repeated to three
     * channels and Exif's orientation is applied; both are noted. An alpha channel is dropped if it is opaque everywhere.
     *
     * @throws IllegalArgumentException with one line that says what is wrong with the file and what to do
     */
    public static Picture read(Path file) throws IOException {
        byte[] bytes = bytes(file);
        if (PngChunks.isPng(bytes)) {
            Map<String, String> text = PngChunks.text(file.toString(), PngChunks.read(file.toString(), bytes));
            List<String> notes = new ArrayList<>();
            return new Picture(pixels(file, decode(file, bytes, "PNG", notes), text, notes), List.copyOf(notes), text);
        }
        if (JpegHeader.isJpeg(bytes)) {
            return jpeg(file, bytes);
        }
        throw new IllegalArgumentException(file + ": expected a PNG or JPEG picture, got " + kind(bytes) + "; convert it to PNG");
    }

    private static Picture jpeg(Path file, byte[] bytes) {
        JpegHeader header = JpegHeader.read(bytes);
        if (header.components() == 4) {
            throw new IllegalArgumentException(file + ": this is a CMYK JPEG (four channels, for print); convert it to RGB");
        }
        List<String> notes = new ArrayList<>();
        Image stored = pixels(file, decode(file, bytes, "JPEG", notes), Map.of(), notes);
        if (header.orientation() != 1) {
            notes.add(file + ": was turned upright (Exif orientation " + header.orientation() + ")");
        }
        return new Picture(header.upright(stored), List.copyOf(notes), Map.of());
    }

    static byte[] bytes(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new IllegalArgumentException(file + ": no such file");
        }
        if (Files.isDirectory(file)) {
            throw new IllegalArgumentException(file + ": expected a picture, got a folder; name one file in it");
        }
        if (!Files.isReadable(file)) {
            throw new IllegalArgumentException(file + ": is not readable; change its permissions");
        }
        return Files.readAllBytes(file);
    }

    private static String kind(byte[] b) {
        String start = new String(b, 0, Math.min(b.length, 16), StandardCharsets.ISO_8859_1);
        return b.length == 0 ? "an empty file"
                : start.startsWith("GIF8") ? "a GIF"
                : start.startsWith("RIFF") && start.startsWith("WEBP", 8) ? "a WebP picture"
                : start.startsWith("BM") ? "a BMP picture"
                : start.startsWith("II*\0") || start.startsWith("MM\0*") ? "a TIFF or raw picture"
                : start.startsWith("ftyp", 4) ? "a HEIC, AVIF or video file"
                : "something else";
    }

    private static BufferedImage decode(Path file, byte[] bytes, String format, List<String> notes) {
        ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
        try {
            reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes)), true, true);
            long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
            if (pixels > MOST_PIXELS) {
                throw new TooLarge(file + ": " + reader.getWidth(0) + "x" + reader.getHeight(0) + " is beyond the " + MOST_PIXELS
                        + " pixels that can be read; scale it down");
            }
            reader.addIIOReadWarningListener((source, warning) -> notes.add(file + ": the decoder warns: " + warning));
            return reader.read(0);
        } catch (TooLarge e) {
            throw e;
        } catch (IOException | RuntimeException e) { // the JDK's decoders throw either of these on malformed files
            throw new IllegalArgumentException(file + ": is a damaged or unsupported " + format + " file (" + e.getMessage()
                    + "); save it again as an RGB PNG", e);
        } finally {
            reader.dispose();
        }
    }

    private static final class TooLarge extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        TooLarge(String message) {
            super(message);
        }
    }

    private static Image pixels(Path file, BufferedImage picture, Map<String, String> text, List<String> notes) {
        ColorModel colours = picture.getColorModel();
        if (colours instanceof IndexColorModel palette) {
            return palette(file, picture, palette);
        }
        int bands = picture.getRaster().getNumBands();
        boolean grey = colours.getNumColorComponents() == 1;
        if (grey) {
            notes.add(file + ": is grey; its channel was repeated to red, green and blue");
        }
        int type = colours.getColorSpace().getType();
        if (!grey && type != ColorSpace.TYPE_RGB || bands != colours.getNumComponents()) {
            throw new IllegalArgumentException(file + ": expected a grey or RGB picture, got " + bands
                    + " channels in another colour space; convert it to RGB");
        }
        if (!grey && !colours.getColorSpace().isCS_sRGB()) {
            notes.add(file + ": the colour profile is not applied; the values are taken as sRGB");
        }
        return direct(file, picture, grey, text);
    }

    private static Image direct(Path file, BufferedImage picture, boolean grey, Map<String, String> text) {
        Raster raster = picture.getRaster();
        ColorModel colours = picture.getColorModel();
        int w = picture.getWidth();
        int h = picture.getHeight();
        int alpha = colours.hasAlpha() ? raster.getNumBands() - 1 : -1;
        int max = (1 << colours.getComponentSize(0)) - 1;
        double lo = bound(file, text, "lo", -1);
        double hi = bound(file, text, "hi", 1);
        float[] out = new float[Math.multiplyExact(3, w * h)];
        int[] codes = new int[w * raster.getNumBands()];
        for (int y = 0; y < h; y++) {
            raster.getPixels(0, y, w, 1, codes);
            for (int x = 0; x < w; x++) {
                int at = x * raster.getNumBands();
                if (alpha >= 0) {
                    requireOpaque(file, codes[at + alpha], max, x, y);
                }
                for (int c = 0; c < 3; c++) {
                    out[(y * w + x) * 3 + c] = Png.value(codes[at + (grey ? 0 : c)], lo, hi, max);
                }
            }
        }
        return new Image(w, h, out);
    }

    private static Image palette(Path file, BufferedImage picture, IndexColorModel palette) {
        int w = picture.getWidth();
        int h = picture.getHeight();
        float[] out = new float[Math.multiplyExact(3, w * h)];
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                int i = picture.getRaster().getSample(x, y, 0);
                requireOpaque(file, palette.getAlpha(i), 255, x, y);
                out[(y * w + x) * 3] = Png.value(palette.getRed(i), -1, 1, 255);
                out[(y * w + x) * 3 + 1] = Png.value(palette.getGreen(i), -1, 1, 255);
                out[(y * w + x) * 3 + 2] = Png.value(palette.getBlue(i), -1, 1, 255);
            }
        }
        return new Image(w, h, out);
    }

    private static void requireOpaque(Path file, int alpha, int max, int x, int y) {
        if (alpha != max) {
            throw new IllegalArgumentException(file + ": the picture is transparent at x=" + x + " y=" + y
                    + "; flatten it onto a background, or save it without alpha");
        }
    }

    private static double bound(Path file, Map<String, String> text, String key, double otherwise) {
        String value = text.get(key);
        try {
            return value == null ? otherwise : Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(file + ": text chunk '" + PngChunks.KEY + "': expected a number for " + key
                    + ", got '" + value + "'");
        }
    }
}

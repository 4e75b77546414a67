// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import java.util.Arrays;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * A picture: rows from the top, pixels from the left, then red, green, blue. The value -1 is black and 1 is white; values may be
 * beyond.
 */
public record Image(int width, int height, float[] data) {
    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException unless there are width * height * 3 numbers
     */
    public Image {
        if (width < 1 || height < 1 || data.length != 3L * width * height) {
            throw new IllegalArgumentException("image " + width + "x" + height + ": expected " + 3L * width * height
                    + " numbers, got " + data.length);
        }
    }

    /**
     * Returns the picture in a real tensor [1,H,W,3] or [H,W,3].
     *
     * @throws IllegalArgumentException on any other shape
     */
    public static Image of(Tensor t) {
        Shape s = t.shape();
        boolean one = s.rank() == 4 && s.dim(0) == 1 && s.dim(3) == 3;
        if (!one && !(s.rank() == 3 && s.dim(2) == 3)) {
            throw new IllegalArgumentException("image: expected a tensor [1,H,W,3], got " + s);
        }
        return new Image(s.dim(-2), s.dim(-3), t.floats());
    }

    /** Returns this picture as a tensor [1,H,W,3] that shares its numbers. */
    public Tensor tensor() {
        return Tensor.of(shape(), data);
    }

    /** Returns the shape [1,H,W,3]. */
    public Shape shape() {
        return Shape.of(1, height, width, 3);
    }

    /** Clamps the values to [-1,1], as a file or a screen does. */
    public Image clamp() {
        float[] out = data.clone();
        for (int i = 0; i < out.length; i++) {
            out[i] = Math.clamp(out[i], -1f, 1f);
        }
        return new Image(width, height, out);
    }

    /** One number of the pixel in column x and row y. */
    public float get(int x, int y, int channel) {
        return data[(y * width + x) * 3 + channel];
    }

    /**
     * Returns the part of the given size whose top-left pixel is (x, y).
     *
     * @throws IllegalArgumentException when it reaches beyond the picture
     */
    public Image crop(int x, int y, int width, int height) {
        if (x < 0 || y < 0 || width < 1 || height < 1 || x + width > this.width || y + height > this.height) {
            throw new IllegalArgumentException("crop: " + width + "x" + height + " at (" + x + "," + y
                    + ") is outside of a picture of "
                    + this.width + "x" + this.height);
        }
        float[] out = new float[width * height * 3];
        for (int row = 0; row < height; row++) {
            System.arraycopy(data, ((y + row) * this.width + x) * 3, out, row * width * 3, width * 3);
        }
        return new Image(width, height, out);
    }

    /** Puts pictures of one height side by side, left to right, with white gaps of the given number of pixels. */
    public static Image join(int gap, Image... parts) {
        int height = parts[0].height;
        int width = (parts.length - 1) * gap;
        for (Image p : parts) {
            if (p.height != height) {
                throw new IllegalArgumentException("join: expected pictures of height " + height + ", got one of " + p.height);
            }
            width += p.width;
        }
        float[] out = new float[width * height * 3];
        Arrays.fill(out, 1);
        int x = 0;
        for (Image p : parts) {
            for (int row = 0; row < height; row++) {
                System.arraycopy(p.data, row * p.width * 3, out, (row * width + x) * 3, p.width * 3);
            }
            x += p.width + gap;
        }
        return new Image(width, height, out);
    }

    @Override
    public String toString() {
        return "image " + width + "x" + height;
    }
}

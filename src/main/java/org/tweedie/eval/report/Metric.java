// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

/**
 * A metric has a title, a unit and a direction, which a report needs to print it and to decide which value is better.
 *
 * @param name its name in the cells, for example {@code decoded_psnr}
 * @param title how tables and plots call it, for example {@code PSNR before pixel consistency}
 * @param unit for example {@code dB}; empty for a pure number
 * @param better which values are better
 * @param digits the digits after the decimal point of a mean
 */
public record Metric(String name, String title, String unit, Better better, int digits) {
    /** Which values of a metric are better. */
    public enum Better {
        /** Higher values are better. */
        HIGHER,
        /** Lower values are better. */
        LOWER,
        /** Neither: the metric describes, as the residual does, or the report does not know it. */
        NEITHER
    }

    /** Returns what is known of a metric. An unknown one has its name as its title, and no better direction. */
    public static Metric of(String name) {
        if (name.startsWith("decoded_")) {
            return of(name.substring("decoded_".length())).part(name, " before pixel consistency");
        }
        if (name.startsWith("hole_")) {
            return of(name.substring("hole_".length())).part(name, " in the holes");
        }
        return switch (name) {
            case "psnr" -> new Metric(name, "PSNR", "dB", Better.HIGHER, 2);
            case "ssim" -> new Metric(name, "SSIM", "", Better.HIGHER, 4);
            case "ms_ssim" -> new Metric(name, "MS-SSIM", "", Better.HIGHER, 4);
            case "ms_ssim2", "ms_ssim3", "ms_ssim4" -> new Metric(name, "MS-SSIM at " + name.substring(7) + " scales", "",
                    Better.HIGHER, 4);
            case "lpips_alex" -> new Metric(name, "LPIPS (AlexNet)", "", Better.LOWER, 4);
            case "lpips_vgg" -> new Metric(name, "LPIPS (VGG16)", "", Better.LOWER, 4);
            case "residual" -> new Metric(name, "residual", "times the noise", Better.NEITHER, 3);
            case "spread" -> new Metric(name, "spread", "", Better.NEITHER, 4);
            default -> new Metric(name, name, "", Better.NEITHER, 4);
        };
    }

    private Metric part(String whole, String where) {
        return new Metric(whole, title + where, unit, better, digits);
    }

    /** The title with the unit, for the label of an axis or a caption. */
    String label() {
        return title + (unit.isEmpty() ? "" : " in " + unit);
    }

    /** Says in a sentence which values are better. */
    String direction() {
        return switch (better) {
            case HIGHER -> "Higher is better.";
            case LOWER -> "Lower is better.";
            case NEITHER -> "Neither direction is better.";
        };
    }

    /** Returns the difference of two values with the sign that makes a positive one better. */
    double gain(double first, double second) {
        return better == Better.LOWER ? second - first : first - second;
    }
}

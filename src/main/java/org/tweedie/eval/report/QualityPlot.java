// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.DoubleStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * A plot of a metric against a cost for one case. Each solver's name has a curve; its points are the solvers with their options,
 * with 95 % intervals over pictures. Horizontal lines are the pseudo-inverse and the autoencoder. The axis of costs is
 * logarithmic unless a solver costs nothing on it.
 */
final class QualityPlot {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 640;
    /** Okabe and Ito's colours, which people with colour blindness can tell apart; black is for the lines. */
    private static final List<Color> COLOURS = List.of(new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73),
            new Color(0xCC79A7), new Color(0xE69F00), new Color(0x56B4E9));
    private static final List<Marker> MARKERS = List.of(SeriesMarkers.CIRCLE, SeriesMarkers.SQUARE, SeriesMarkers.DIAMOND,
            SeriesMarkers.TRIANGLE_UP, SeriesMarkers.TRIANGLE_DOWN);
    private static final List<String> LINES = List.of("pinv", "autoencoder");

    static {
        if (System.getProperty("java.awt.headless") == null) {
            System.setProperty("java.awt.headless", "true"); // drawing into memory needs no display and must not look for one
        }
    }

    private QualityPlot() {}

    /** Returns the plot as a PNG file; empty if no solver has a value. */
    static Optional<byte[]> png(CellSet cells, CellSet.Case at, Metric metric, Axis axis) throws IOException {
        List<Curve> curves = Curve.of(cells, at, metric, axis);
        if (curves.isEmpty()) {
            return Optional.empty();
        }
        double[] costs = curves.stream().flatMapToDouble(c -> DoubleStream.of(c.costs())).toArray();
        double least = DoubleStream.of(costs).min().orElseThrow();
        double most = DoubleStream.of(costs).max().orElseThrow();
        boolean logarithmic = least > 0;
        double[] ends = logarithmic ? decades(least / 1.3, most * 1.3)
                : new double[] {-0.05 * Math.max(1, most), 1.05 * Math.max(1, most)};
        XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT)
                .title(metric.title() + " against cost: " + at.task() + ", " + at.noise())
                .xAxisTitle(axis.label() + (logarithmic ? " (logarithmic)" : "")).yAxisTitle(metric.label()).build();
        style(chart.getStyler(), logarithmic, ends);
        for (int i = 0; i < curves.size(); i++) {
            add(chart, curves.get(i), i);
        }
        for (String line : LINES) {
            line(chart, line, cells.values(at, line, metric.name()), ends);
        }
        return Optional.of(BitmapEncoder.getBitmapBytes(chart, BitmapEncoder.BitmapFormat.PNG));
    }

    /** Widens the ends of an axis, the nearer first, until two powers of ten are on it, since only these have labels. */
    static double[] decades(double left, double right) {
        double[] ends = {left, right};
        for (int first = (int) Math.ceil(Math.log10(left)), last = (int) Math.floor(Math.log10(right)); first >= last;) {
            if (left / Math.pow(10, first - 1) <= Math.pow(10, last + 1) / right) {
                first--;
                ends[0] = Math.pow(10, first);
            } else {
                last++;
                ends[1] = Math.pow(10, last);
            }
        }
        return ends;
    }

    private static void style(XYStyler style, boolean logarithmic, double[] ends) {
        style.setXAxisLogarithmic(logarithmic).setXAxisMin(ends[0]).setXAxisMax(ends[1]).setErrorBarsColorSeriesColor(true)
                .setPlotGridLinesColor(new Color(0xDDDDDD)).setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14))
                .setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 16));
        style.setChartBackgroundColor(Color.WHITE).setLegendPosition(Styler.LegendPosition.OutsideE)
                .setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14))
                .setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 17))
                .setMarkerSize(9);
    }

    private static void add(XYChart chart, Curve curve, int i) {
        XYSeries series = chart.addSeries(curve.label(), curve.costs(), curve.means(), curve.bars());
        Color colour = COLOURS.get(i % COLOURS.size());
        series.setMarkerColor(colour);
        series.setMarker(MARKERS.get(i % MARKERS.size())).setLineColor(colour).setLineStyle(new BasicStroke(2));
    }

    private static void line(XYChart chart, String name, SortedMap<Trial, Double> values, double[] ends) {
        if (!values.isEmpty()) {
            double mean = Estimate.of(Trial.byPicture(values).values()).mean();
            float[] dashes = name.equals(LINES.getFirst()) ? new float[] {3, 5} : new float[] {10, 6};
            chart.addSeries(name, ends, new double[] {mean, mean}).setMarker(SeriesMarkers.NONE)
                    .setLineColor(Color.DARK_GRAY)
                    .setLineStyle(new BasicStroke(1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, dashes, 0));
        }
    }
}

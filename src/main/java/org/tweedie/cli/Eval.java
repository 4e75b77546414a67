// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.solve.Start;
import org.tweedie.solve.StepSize;
import org.tweedie.solve.Stsl;
import org.tweedie.solve.Surrogate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tweedie eval}: the table over a folder of pictures. */
@Command(name = "eval", description = "Degrade and restore a folder of pictures; print a CSV line for each picture, task and variant.")
final class Eval implements Callable<Integer> {
    @Option(names = "--model", required = true)
    Path model;
    @Option(names = "--images", required = true)
    Path images;
    @Option(names = "--size", defaultValue = "128")
    int size;
    @Option(names = "--skip", defaultValue = "0")
    int skip;
    @Option(names = "--limit", defaultValue = "24")
    int limit;
    @Option(names = "--tasks", split = ",", defaultValue = "sr:4,sr:8,blur:3,motion,inpaint:box,inpaint:random:0.7")
    List<String> tasks;
    @Option(names = "--sigma", defaultValue = "0.01")
    double sigma;
    @Option(names = "--steps", defaultValue = "50")
    int steps;
    @Option(names = "--inner", defaultValue = "5")
    int inner;
    @Option(names = "--lambda", split = ",", defaultValue = "1")
    List<Double> lambda;
    @Option(names = "--trust", split = ",", defaultValue = "0.1")
    List<Double> trust;
    @Option(names = "--eta", split = ",", defaultValue = "0,0.02")
    List<Double> eta;
    @Option(names = "--trace-weight", split = ",", defaultValue = "PAPER,NORMALISED")
    List<Stsl.TraceWeight> traceWeight;
    @Option(names = "--norm", defaultValue = "NORM")
    Surrogate.Norm norm;
    @Option(names = "--probe", defaultValue = "UNIT")
    Surrogate.Probe probe;
    @Option(names = "--step", defaultValue = "ADAPTIVE")
    StepSize.Rule step;
    @Option(names = "--init", split = ",", defaultValue = "DDIM")
    List<Start.Kind> init;
    @Option(names = "--threads", defaultValue = "1")
    int threads;
    @Option(names = "--seed", defaultValue = "1")
    long seed;

    @Override
    public Integer call() throws Exception {
        try (Device device = Devices.open("cpu", threads); Prior prior = Prior.open(model, device, "", 1)) {
            Evaluation e = new Evaluation(device, prior, size, sigma, System.out);
            for (Path p : Evaluation.pictures(images, skip, limit)) {
                e.run(p, tasks, variants(), seed);
            }
        }
        return 0;
    }

    private List<Evaluation.Variant> variants() {
        List<Evaluation.Variant> out = new ArrayList<>();
        for (Start.Kind k : init) {
            for (double l : lambda) for (double u : trust) {
                for (double h : eta) {
                    for (Stsl.TraceWeight w : h == 0 ? List.of(Stsl.TraceWeight.PAPER) : traceWeight) {
                        String name = (h == 0 ? "first-order" : "eta=" + h + " " + w) + " lambda=" + l + " trust=" + u + " init=" + k;
                        out.add(new Evaluation.Variant(name.toLowerCase(Locale.ROOT),
                                new Stsl.Options(steps, inner, h, l, u, norm, probe, w, step, k, true)));
                    }
                }
            }
        }
        return out;
    }

    public static void main(String[] args) {
        System.exit(new picocli.CommandLine(new Eval()).execute(args));
    }
}

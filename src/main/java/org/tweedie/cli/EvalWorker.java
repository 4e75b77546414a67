// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.tweedie.Model;
import org.tweedie.Session;
import org.tweedie.Tweedie;
import org.tweedie.cli.console.Faults;
import org.tweedie.cli.engine.EngineOptions;
import org.tweedie.device.Device;
import org.tweedie.eval.CellRunner;
import org.tweedie.eval.Measures;
import org.tweedie.eval.Pictures;
import org.tweedie.eval.SavedPictures;
import org.tweedie.eval.WorkerLoop;
import org.tweedie.eval.WorkerProcess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A process that 'eval --workers' starts. It reads keys of cells from standard input and prints the cells. */
@Command(name = EvalWorker.NAME, hidden = true, description = "Makes cells for 'eval', which starts this command itself.")
final class EvalWorker implements Callable<Integer> {
    static final String NAME = "eval-worker";

    @Parameters(paramLabel = "FOLDER", description = "The folder with the pictures.")
    private Path images;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder.")
    private Path folder;

    @Option(names = "--size", paramLabel = "N", required = true, description = "The side of the pictures in pixels.")
    private int size;

    @Option(names = "--spread", description = "Restore twice.")
    private boolean spread;

    @Mixin
    private EngineOptions engine;

    @Option(names = "--lpips", split = ",", description = "The weights of LPIPS.")
    private List<Path> lpips = List.of();

    @Option(names = "--pictures", description = "The folder for restored pictures.")
    private Path saved;

    /** Returns the command that starts a worker. @param engine the words of the engine's options */
    static List<String> command(Pictures pictures, Path model, Measures measures, List<String> engine) {
        List<String> words = new ArrayList<>(List.of(NAME, pictures.folder().toString(), "--model", model.toString(),
                "--size", Integer.toString(pictures.width())));
        if (measures.spread()) {
            words.add("--spread");
        }
        if (measures.saved() != null) {
            words.addAll(List.of("--pictures", measures.saved().folder().toString()));
        }
        measures.lpips().forEach(file -> words.addAll(List.of("--lpips", file.toString())));
        words.addAll(engine);
        return WorkerProcess.java(Main.class, words);
    }

    @Override
    public Integer call() throws IOException {
        PrintStream answers = System.out;
        System.setOut(System.err); // nothing but answers goes to standard output
        try (Device device = engine.open(engine.threads(1)); Model model = Tweedie.open(folder, device);
                Session session = model.session(size, size);
                CellRunner maker = new CellRunner(session.prior(), new Pictures(images, size, size),
                        new Measures(spread, lpips,
                                saved == null ? null : new SavedPictures(saved)))) {
            new WorkerLoop(maker, answers, () -> Runtime.getRuntime().halt(Faults.FAILED)).run(System.in);
        }
        return 0;
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalDouble;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows the progress of a run on standard error: as a bar on a terminal, elsewhere as a line about every 10 % of the run. */
public final class Progress implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofMinutes(5);

    private final String what;
    private final ProgressBar bar;
    private final Instant start = Instant.now();
    private Instant last = start;
    private long tenths;

    /** @param what the word before the bar */
    public Progress(String what) {
        this.what = what;
        Integer columns = Integer.getInteger("tweedie.columns"); // the launcher sets it on a terminal
        bar = columns == null ? null : new ProgressBarBuilder().setTaskName(what).setInitialMax(1).setUpdateIntervalMillis(200)
                .setStyle(ProgressBarStyle.ASCII).setConsumer(new Line(columns)).build();
    }

    /** Shows the number of steps that are done. @param message the latest result, for example {@code residual 2.31} */
    public void at(long done, long total, String message) {
        if (bar != null) {
            bar.maxHint(total);
            bar.stepTo(done);
            bar.setExtraMessage(" " + message);
        } else if (done * 10 / total > tenths) {
            tenths = done * 10 / total;
            long seconds = Duration.between(start, Instant.now()).toSeconds();
            System.err.println("tweedie: " + what + " " + done * 100 / total + " %, " + message + ", " + seconds + " s"
                    + (done < total ? ", about " + seconds * (total - done) / done + " s left" : ""));
        }
    }

    /**
     * Shows the number of parts that are done and an estimate of the time left, for runs whose parts take different times and
     * may take hours: where there is no bar, a line follows the last after five minutes at most.
     *
     * @param secondsLeft empty if it is unknown
     */
    public void at(long done, long total, OptionalDouble secondsLeft) {
        String left = done == total || secondsLeft.isEmpty() ? "" : "about " + duration(secondsLeft.getAsDouble()) + " left";
        if (bar != null) {
            bar.maxHint(total);
            bar.stepTo(done);
            bar.setExtraMessage(" " + left);
        } else if (done * 10 / total > tenths || Duration.between(last, Instant.now()).compareTo(PAUSE) > 0) {
            tenths = done * 10 / total;
            last = Instant.now();
            System.err.println("tweedie: " + what + " " + done + " of " + total + ", "
                    + duration(Duration.between(start, last).toSeconds()) + (left.isEmpty() ? "" : ", " + left));
        }
    }

    /** Returns a time in the unit that suits it. */
    private static String duration(double seconds) {
        return seconds < 120 ? Math.round(seconds) + " s" : seconds < 7200 ? Math.round(seconds / 60) + " min"
                : Numbers.of(seconds / 3600, 1) + " h";
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }

    /** Rewrites one line of a terminal. */
    private record Line(int columns) implements ProgressBarConsumer {
        @Override
        public int getMaxRenderedLength() {
            return Math.max(20, columns - 1);
        }

        @Override
        public void accept(String rendered) {
            System.err.print("\r" + rendered);
        }

        @Override
        public void close() {
            System.err.println();
        }
    }
}

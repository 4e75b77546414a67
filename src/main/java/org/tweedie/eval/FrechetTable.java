// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.metrics.Frechet;
import org.tweedie.metrics.Lpips;

/**
 * The Frechet distances between the saved pictures of each solver and the true pictures, one for each task and noise, over the
 * features of the network that measures LPIPS.
 */
public record FrechetTable(SavedPictures saved, Pictures pictures, Lpips lpips) {
    private record Group(String task, String noise, String solver) {}

    /**
     * Returns the table as CSV. A group of fewer than two pictures has no distance.
     *
     * @throws IOException when a picture was not saved or cannot be read
     */
    public String of(List<Cell> cells) throws IOException {
        Map<Group, List<Cell.Key>> groups = new LinkedHashMap<>();
        cells.stream().map(Cell::key).forEach(k -> groups.computeIfAbsent(new Group(k.task(), k.noise(), k.solver()),
                g -> new ArrayList<>()).add(k));
        StringBuilder table = new StringBuilder("task,noise,solver,features,pictures,frechet\n");
        Map<String, double[]> truths = new HashMap<>();
        for (Map.Entry<Group, List<Cell.Key>> e : groups.entrySet()) {
            List<double[]> restored = new ArrayList<>();
            List<double[]> originals = new ArrayList<>();
            for (Cell.Key k : e.getValue()) {
                restored.add(lpips.features(saved.read(k)));
                if (!truths.containsKey(k.picture())) {
                    truths.put(k.picture(), lpips.features(pictures.read(k.picture())));
                }
                originals.add(truths.get(k.picture()));
            }
            Group g = e.getKey();
            String distance = restored.size() < 2 ? ""
                    : String.format(Locale.ROOT, "%.6f", Frechet.of(lpips.featuresName(), restored, originals).distance());
            table.append(String.join(",", CellTable.quoted(g.task), CellTable.quoted(g.noise), CellTable.quoted(g.solver),
                    lpips.featuresName(), Integer.toString(restored.size()), distance)).append('\n');
        }
        return table.toString();
    }
}

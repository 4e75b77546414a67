// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.IOException;

/** Makes cells, one at a time: in this process ({@link CellRunner}) or in another ({@link WorkerProcess}). */
public interface CellMaker extends AutoCloseable {
    /**
     * Makes the cell of a key.
     *
     * @throws CellFailure when this cell cannot be made; others may still succeed
     * @throws IOException when this maker can make no more cells
     */
    Cell make(Cell.Key key) throws CellFailure, IOException;

    /** Ends the maker; a cell that another thread is waiting for is given up. */
    @Override
    void close();
}

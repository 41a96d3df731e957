"""Reads a table into memory and writes its content as arrays, as another reader does it.

`import_peer.py LIBRARY STORE SOURCE OUTPUT`: LIBRARY is `pyarrow` or `polars`; STORE is `numpy`, for
OUTPUT.x.npy with the features row by row and OUTPUT.y.npy with the last column as integers, or `arrow`, for
an uncompressed OUTPUT.arrow. All columns but the last are read as f32. Prints the seconds that reading and
writing took, without starting Python or importing the library, as a line of JSON.
"""

import json
import sys
import time

import numpy


def with_pyarrow(source, names):
    import pyarrow
    from pyarrow import csv, feather, parquet

    def read():
        if source.endswith(".parquet"):
            return parquet.read_table(source)
        types = {name: pyarrow.float32() for name in names[:-1]}
        return csv.read_csv(source, convert_options=csv.ConvertOptions(column_types=types))

    def features(table):
        rows = numpy.empty((table.num_rows, len(names) - 1), numpy.float32)
        for column, name in enumerate(names[:-1]):
            rows[:, column] = table[name].to_numpy()
        return rows

    def classes(table):
        return table[names[-1]].cast(pyarrow.int64()).to_numpy()

    def arrow(table, output):
        feather.write_feather(table, output, compression="uncompressed")

    return read, features, classes, arrow


def with_polars(source, names):
    import polars

    def read():
        if source.endswith(".parquet"):
            return polars.read_parquet(source)
        return polars.read_csv(source, schema_overrides={n: polars.Float32 for n in names[:-1]})

    def features(table):
        return table.select(names[:-1]).to_numpy(order="c")

    def classes(table):
        return table[names[-1]].cast(polars.Int64).to_numpy()

    def arrow(table, output):
        table.write_ipc(output, compression="uncompressed")

    return read, features, classes, arrow


def column_names(source):
    if source.endswith(".parquet"):
        from pyarrow import parquet

        return parquet.read_schema(source).names
    with open(source, encoding="utf-8") as file:
        return file.readline().strip().split(",")


def main():
    library, store, source, output = sys.argv[1:]
    names = column_names(source)
    library = {"pyarrow": with_pyarrow, "polars": with_polars}[library]
    read, features, classes, arrow = library(source, names)
    began = time.perf_counter()
    table = read()
    if store == "numpy":
        numpy.save(output + ".x.npy", features(table))
        numpy.save(output + ".y.npy", classes(table))
    else:
        arrow(table, output + ".arrow")
    print(json.dumps({"seconds": time.perf_counter() - began}))


main()

/*
 * Results as HDF5: a group for each member and table, one dataset for each column with its unit, the provenance and the
 * resolved experiment as attributes of the file.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "results.h"

#include "build_config.h"
#include "file.h"
#include "label.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if OD_HAVE_HDF5
#include <hdf5.h>

static bool put_text(hid_t object, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(text) + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

static bool put_column(hid_t group, const char *name, const char *unit, const double *column, size_t count)
{
    const hsize_t size = count;
    hid_t space = H5Screate_simple(1, &size, NULL), options = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(options, 0); /* the same run gives the same bytes */
    hid_t set = H5Dcreate2(group, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, options, H5P_DEFAULT);
    bool ok = set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, column) >= 0 &&
              (unit[0] == '\0' || put_text(set, "unit", unit));
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(options);
    return ok;
}

/* A group that is made if it is not there. */
static hid_t open_group(hid_t parent, const char *name)
{
    if (H5Lexists(parent, name, H5P_DEFAULT) > 0) {
        return H5Gopen2(parent, name, H5P_DEFAULT);
    }
    hid_t options = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(options, 0);
    hid_t group = H5Gcreate2(parent, name, H5P_DEFAULT, options, H5P_DEFAULT);
    H5Pclose(options);
    return group;
}

/* Groups are named like the CSV files; of several members each also tells its label. */
static hid_t open_table(hid_t file, const od_experiment *e, const od_rows *r)
{
    const char *table = r->map ? "iteration" : "flow";
    if (e->member_count == 1) {
        return open_group(file, table);
    }
    char stem[OD_LABEL_ROOM];
    od_label_stem(r->m->label, stem);
    hid_t member = open_group(file, stem);
    hid_t group = member >= 0 && (H5Aexists(member, "label") > 0 || put_text(member, "label", r->m->label))
                      ? open_group(member, table)
                      : H5I_INVALID_HID;
    H5Gclose(member);
    return group;
}

static bool put_rows(hid_t file, const od_experiment *e, const od_rows *r)
{
    hid_t group = open_table(file, e, r);
    const size_t rows = od_rows_count(r);
    double *all = od_zalloc(rows * r->columns, sizeof *all), *row = od_zalloc(r->columns, sizeof *row);
    size_t count = 0;
    bool ok = group >= 0 && all != NULL && row != NULL;
    for (size_t i = 0; ok && i < rows; i++) {
        if (od_rows_read(r, i, row)) {
            for (size_t c = 0; c < r->columns; c++) {
                all[c * rows + count] = row[c];
            }
            count++;
        }
    }
    for (size_t c = 0; ok && c < r->columns; c++) {
        ok = put_column(group, r->name[c], r->unit[c], all + c * rows, count);
    }
    free(all);
    free(row);
    H5Gclose(group);
    return ok;
}

od_status od_results_write_hdf5(od_context *ctx, const od_experiment *e, size_t count, const od_rows *rows)
{
    od_file place;
    od_status status = od_file_open(ctx, &place, e->output, "results.h5");
    if (status != OD_OK) {
        return status;
    }
    char *text = NULL;
    size_t size = 0;
    FILE *provenance = open_memstream(&text, &size);
    if (provenance == NULL) {
        od_file_abandon(&place);
        return od_fail(ctx, OD_ENOMEM, NULL, "no memory for the provenance");
    }
    od_results_provenance(provenance, e, &e->member[0], "");
    fclose(provenance);
    /* failures are reported here, in one sentence; the library would print a stack */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    /* HDF5 opens the temporary file by its name; the stream stays open so that committing it syncs and renames */
    hid_t format = H5Pcreate(H5P_FILE_ACCESS);
    /* the format of HDF5 1.8, readable since 2008: before, an attribute ended at 64 KiB, a large experiment does not */
    H5Pset_libver_bounds(format, H5F_LIBVER_V18, H5F_LIBVER_V18);
    hid_t options = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(options, 0);
    hid_t file = H5Fcreate(place.temporary, H5F_ACC_TRUNC, options, format);
    H5Pclose(options);
    H5Pclose(format);
    bool ok = file >= 0 && put_text(file, "provenance", text) && put_text(file, "experiment", e->resolved);
    for (size_t i = 0; ok && i < count; i++) {
        ok = put_rows(file, e, &rows[i]);
    }
    ok = H5Fclose(file) >= 0 && ok;
    free(text);
    if (!ok) {
        od_file_abandon(&place);
        return od_fail(ctx, OD_EIO, "-o", "%s could not be written by HDF5; free some space or choose another folder",
                       place.path);
    }
    return od_file_commit(ctx, &place);
}

#else

od_status od_results_write_hdf5(od_context *ctx, const od_experiment *e, size_t count, const od_rows *rows)
{
    (void)ctx;
    (void)e;
    (void)count;
    (void)rows;
    return OD_OK;
}
#endif

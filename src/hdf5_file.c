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
#include "memory.h"

#include <stdlib.h>
#include <string.h>

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

/* Words of fixed length, one for each place in the list of words. */
static bool put_words(hid_t group, const char *name, char (*word)[40], const double *place, size_t count)
{
    char(*column)[40] = od_zalloc(count, sizeof *column);
    for (size_t i = 0; column != NULL && i < count; i++) {
        memcpy(column[i], word[(size_t)place[i]], sizeof *column);
    }
    const hsize_t size = count;
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &size, NULL), options = H5Pcreate(H5P_DATASET_CREATE);
    H5Tset_size(type, sizeof *column);
    H5Pset_obj_track_times(options, 0);
    hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, options, H5P_DEFAULT);
    const bool ok = column != NULL && set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, column) >= 0;
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(options);
    H5Tclose(type);
    free(column);
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
    char table[OD_TABLE_ROOM];
    od_rows_name(r, table);
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
    double *row = od_zalloc(r->columns, sizeof *row);
    size_t rows = 0, count = 0;
    for (size_t i = 0; row != NULL && i < od_rows_count(r); i++) {
        rows += od_rows_read(r, i, row);
    }
    double *all = od_zalloc(rows * r->columns, sizeof *all);
    bool ok = group >= 0 && all != NULL && row != NULL;
    for (size_t i = 0; ok && i < od_rows_count(r); i++) {
        if (od_rows_read(r, i, row)) {
            for (size_t c = 0; c < r->columns; c++) {
                all[c * rows + count] = row[c];
            }
            count++;
        }
    }
    for (size_t c = 0; ok && c < r->columns; c++) {
        ok = c == r->word_column ? put_words(group, r->name[c], r->word, all + c * rows, count)
                                 : put_column(group, r->name[c], r->unit[c], all + c * rows, count);
    }
    free(all);
    free(row);
    H5Gclose(group);
    return ok;
}

/*
 * The file is made in memory and written as a whole: after a write that failed, HDF5 can neither close its file nor end
 * the program in good order. The bytes are taken over when HDF5 closes its file; H5Fget_file_image, which is meant for
 * this, leaves a wrong checksum in the first 48 of them (HDF5 1.10.8).
 */
typedef struct image {
    unsigned char *bytes;
    size_t size;
} image;

static void *image_realloc(void *old, size_t size, H5FD_file_image_op_t op, void *user)
{
    (void)op;
    image *own = user;
    unsigned char *bytes = realloc(old, size);
    if (bytes != NULL) {
        /* not all of it is written: the same tables give the same bytes */
        memset(bytes + own->size, 0, size > own->size ? size - own->size : 0);
        *own = (image){bytes, size};
    }
    return bytes;
}

static herr_t image_keep(void *bytes, H5FD_file_image_op_t op, void *user)
{
    (void)bytes;
    (void)op;
    (void)user;
    return 0;
}

static void *same_user(void *user)
{
    return user;
}

static herr_t keep_user(void *user)
{
    (void)user;
    return 0;
}

static hid_t create_in_memory(image *own)
{
    enum { GROWTH = 1 << 16 };
    H5FD_file_image_callbacks_t calls = {.image_realloc = image_realloc,
                                         .image_free = image_keep,
                                         .udata_copy = same_user,
                                         .udata_free = keep_user,
                                         .udata = own};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_fapl_core(access, GROWTH, 0);
    H5Pset_file_image_callbacks(access, &calls);
    /* the format of HDF5 1.8, readable since 2008: before, an attribute ended at 64 KiB, a large experiment does not */
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    H5Pset_obj_track_times(creation, 0);
    hid_t file = H5Fcreate("results.h5", H5F_ACC_TRUNC, creation, access);
    H5Pclose(access);
    H5Pclose(creation);
    return file;
}

/* Memory grows in steps; where the file ends stands in its first block (superblock of version 2, bytes 28 to 35). */
static size_t length_of(const image *own)
{
    uint64_t length = 0;
    for (size_t i = 0; own->size >= 48 && i < 8; i++) {
        length |= (uint64_t)own->bytes[28 + i] << 8 * i;
    }
    return length <= own->size ? (size_t)length : 0;
}

static bool put_all(hid_t file, const od_experiment *e, size_t count, const od_rows *rows)
{
    char *text = NULL;
    size_t size = 0;
    FILE *provenance = open_memstream(&text, &size);
    if (provenance == NULL) {
        return false;
    }
    od_results_provenance(provenance, e, &e->member[0], "");
    fclose(provenance);
    bool ok = put_text(file, "provenance", text) && put_text(file, "experiment", e->resolved);
    free(text);
    for (size_t i = 0; ok && i < count; i++) {
        ok = put_rows(file, e, &rows[i]);
    }
    return ok;
}

od_status od_results_write_hdf5(od_context *ctx, const od_experiment *e, size_t count, const od_rows *rows)
{
    /* failures are reported here, in one sentence; the library would print a stack */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    image own = {NULL, 0};
    hid_t file = create_in_memory(&own);
    const bool ok = file >= 0 && put_all(file, e, count, rows);
    const size_t length = H5Fclose(file) >= 0 && ok ? length_of(&own) : 0;
    if (length == 0) {
        free(own.bytes);
        return od_fail(ctx, OD_ENOMEM, "-o",
                       "HDF5 could not hold the tables for results.h5 in memory; record fewer rows");
    }
    od_file place;
    od_status status = od_file_open(ctx, &place, e->output, "results.h5");
    if (status == OD_OK) {
        fwrite(own.bytes, 1, length, place.out);
        status = od_file_commit(ctx, &place);
    }
    free(own.bytes);
    return status;
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
